"""A long chain of small steps, each reading the one before.

expected: equal
fused:
"""
# %% [step:s1]
x = [1]
# %% [step:s2]
x.append(2)
# %% [step:s3]
y = sum(x)
# %% [step:s4]
x.append(y)
# %% [step:s5]
def f(n):
    return n + len(x)
# %% [step:s6]
z = f(1)
# %% [step:s7]
x = tuple(x)
# %% [step:s8]
print(x, y, z, f(0))
