"""Functions registered for the end of the process run once, at the end.

expected: equal
twice edited: its steps share a process, so all of them run again, and the file is there already
"""
# %% [imports]
import atexit
# %% [step:register]
def bye(word):
    with open("end.txt", "a") as file:
        file.write(word)
done = atexit.register(bye, "a") is bye
# %% [step:between]
done = atexit.register(bye, "b") is bye
# %% [step:check]
atexit.unregister(print)
print(done)
