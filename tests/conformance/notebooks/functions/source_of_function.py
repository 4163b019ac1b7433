"""The source of a function can still be read in a later step.

expected: equal
fused:
"""
# %% [imports]
import inspect
# %% [step:a]
def f(x):
    return x + 1
# %% [step:b]
src = inspect.getsource(f)
# %% [step:c]
print(src, inspect.getsource(f))
