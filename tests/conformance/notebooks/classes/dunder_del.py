"""An object tells the world when it dies: it must not die more than once.

expected: equal
"""
# %% [step:make]
class Guard:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        with open("deaths.txt", "a") as file:
            file.write(self.name + "\n")
a, b = Guard("a"), Guard("b")
# %% [step:drop]
del a
# %% [step:check]
text = open("deaths.txt").read()
del b
text += open("deaths.txt").read()
print(text)
