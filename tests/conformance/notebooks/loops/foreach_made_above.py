"""The cell makes what its rounds fill, and the notebook has no other step.

expected: equal
"""
# %%
import math
roots = ["old"]
# %% [foreach]
roots = []
for n in (4, 9, 16, 25):
    root = math.sqrt(n)
    print(root)
    roots.append(root)
# %%
print(roots, n, root)
