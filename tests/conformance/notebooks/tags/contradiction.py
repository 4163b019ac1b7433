"""The tag names one step, the comment another.

expected: refused: its comment says
"""
# %% [step:a]
x = 1
# %% [step:b]
#| step: c
print(x)
