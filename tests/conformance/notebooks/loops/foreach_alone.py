"""The notebook has no step; the cell makes what its rounds fill, NaNs that everybody knows too.

expected: equal
"""
# %%
import math
own = float("nan")
roots = ["old"]
# %% [foreach]
roots = []
for n in (4, 9, -1, -2, 16, 25):
    root = math.sqrt(n) if n > 0 else (math.nan, own)[n]
    print(root)
    roots.append(root)
# %%
print(roots, n, root, math.nan in roots, own in roots, roots[2] is own)
