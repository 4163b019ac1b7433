"""A notebook without any tag is one step.

expected: equal
"""
# %%
x = 1
# %% [markdown]
# # A heading
# %%
y = x + 1
print(y)
