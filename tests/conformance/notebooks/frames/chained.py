"""The usual cleaning of a frame: fill, map with a lambda, merge, group with the notebook's function.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
import pandas as pd
# %% [parameters]
limit: int = 2
# %% [step:load]
raw = pd.DataFrame({"k": list("aabbc"), "v": [1, np.nan, 3, 4, np.nan]})
codes = {"a": 1, "b": 2}
# %% [step:clean]
clean = raw.assign(v=raw.v.fillna(raw.v.median()), code=lambda d: d.k.map(codes))
clean.loc[clean.v > limit, "big"] = True
def spread(group):
    return group.v.max() - group.v.min() + limit
# %% [step:join]
table = clean.groupby("k")[["v"]].apply(spread).rename("spread").reset_index()
table = table.merge(clean, how="right", on="k")
picked = table.query("v > @limit and spread >= 0")
# %% [step:report]
table.describe()
# %%
print(table, picked.index.tolist())
table.head(2)
