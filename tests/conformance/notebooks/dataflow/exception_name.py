"""The name of a caught exception is gone after its clause.

expected: equal
fused:
"""
# %% [step:a]
bad = ["1", "x"]
# %% [step:b]
n = 0
for b in bad:
    try:
        int(b)
    except ValueError as e:
        n += 1
# %% [step:c]
print(n, "e" in dir())
