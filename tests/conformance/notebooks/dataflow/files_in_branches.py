"""Two branches that share no variable write and read the same file.

expected: equal
"""
# %% [step:begin]
name = "log.txt"
n = open(name, "w").write("0\n")
# %% [step:left]
with open("log.txt", "a") as out_left:
    n_left = out_left.write("left\n")
del out_left
# %% [step:right]
with open("log.txt", "a") as out_right:
    n_right = out_right.write("right\n")
del out_right
# %% [step:join]
print(open(name).read(), n_left, n_right)
