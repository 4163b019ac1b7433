"""A file written in one step is read in the next.

expected: equal
fused:
"""
# %% [step:a]
n = open("x.txt", "w").write("hi")
# %% [step:b]
t = open("x.txt").read()
# %% [step:c]
print(t, n)
