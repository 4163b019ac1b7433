"""The third round fails: those before it count, those after it never were.

expected: equal
fails: ZeroDivisionError
"""
# %% [step:load]
inverse = {}
# %% [step:divide, foreach]
for n in [2, 1, 0, 4, 5, 8]:
    print("begin", n)
    with open(f"n{n}.txt", "w") as file:
        file.write("begun")
    inverse[n] = 1 / n
# %% [step:show]
print(inverse)
