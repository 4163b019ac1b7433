"""polars is told how to print and to share its categories; a context of it stays open.

expected: equal
"""
# %% [imports]
import polars as pl
# %% [step:set]
pl.Config.set_tbl_rows(3)
pl.Config.set_fmt_float("full")
pl.Config.set_tbl_hide_column_data_types(True)
df = pl.DataFrame({"k": list("abcde"), "x": [i / 7 for i in range(5)]})
# %% [step:use]
print(df)
kinds = df.with_columns(pl.col("k").cast(pl.Categorical))
# %% [step:reset]
lazy = kinds.lazy().with_columns((pl.col("x") * 2).alias("y")).filter(pl.col("k") != "a")
out = lazy.collect()
print(out, pl.Config.state(if_set=True))
pl.Config.restore_defaults()
print(out)
del lazy
