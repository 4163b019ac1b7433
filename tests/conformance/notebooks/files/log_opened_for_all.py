"""A cell that every step runs again opens a log for writing: the log must not be emptied again.

expected: equal
fused: b, c
"""
# %% [imports]
log = open("log.txt", "w")
n = log.write("head")
log.close()
# %% [step:a]
with open("log.txt", "a") as f:
    n = f.write("a")
del f
# %% [step:b]
with open("log.txt", "a") as f:
    n = f.write("b")
del f
# %% [step:c]
with open("log.txt", "a") as f:
    n = f.write("c")
del f
print(open("log.txt").read())
