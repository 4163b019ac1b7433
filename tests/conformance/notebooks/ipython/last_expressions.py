"""Cells show the value of their last line; a semicolon hides it.

expected: equal
fused:
"""
# %% [step:a]
x = [1, 2]
x
# %% [step:b]
x.append(3)
x;
# %% [step:c]
"text", len(x)
# %%
None
# %%
x if len(x) > 2 else None
