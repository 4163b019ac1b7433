"""Frames with every kind of index and column: multi, categorical, time zone, object, duplicate, empty.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
import pandas as pd
# %% [step:make]
multi = pd.DataFrame(
    {"v": range(4)}, index=pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["k", "n"])
)
cat = pd.DataFrame({"c": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "hi", "never"], ordered=True)})
when = pd.DataFrame({"t": pd.date_range("2020-03-28", periods=3, tz="Europe/Berlin")})
mixed = pd.DataFrame({"o": [1, "a", [2], None, {"k": 1}]})
twice = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])
none = pd.DataFrame({"a": pd.Series([], dtype="int8")})
nulls = pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "s": pd.array(["a", None], dtype="string"), "b": [True, None]})
period = pd.Series(pd.period_range("2020Q1", periods=2, freq="Q"), name="q")
spans = pd.DataFrame({"x": [1, 2]}, index=pd.interval_range(0, 2))
deltas = pd.Series(pd.to_timedelta(["1 days", None]))
multi.attrs["source"] = {"file": "x.csv"}
groups = multi.groupby("k")
rolling = multi.v.rolling(2)
# %% [step:change]
mixed.o[2].append(9)
when["day"] = when.t.dt.day
cat["c"] = cat.c.cat.remove_unused_categories()
# %% [step:check]
result = [multi, cat, when, mixed, twice, none, nulls, period, spans, deltas]
sums = groups.v.sum()
means = rolling.mean()
print([r.dtypes if hasattr(r, "columns") else r.dtype for r in result], multi.attrs, sums, means)
