"""polars frames, lazy ones and expressions cross.

expected: equal
"""
# %% [imports]
import polars as pl
# %% [step:make]
df = pl.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
lazy = df.lazy().filter(pl.col("v") > 1)
expr = pl.col("v") * 2
# %% [step:use]
wide = df.with_columns(expr.alias("w"))
# %% [step:check]
out = lazy.collect()
sums = wide.group_by("k", maintain_order=True).agg(pl.col("w").sum())
print(out, sums, wide.schema)
