"""Two frames share a categorical type and attributes; one of them is extended later.

expected: equal
"""
# %% [imports]
import pandas as pd
# %% [step:make]
sizes = pd.CategoricalDtype(["S", "M", "L"], ordered=True)
shirts = pd.DataFrame({"size": pd.Categorical(["M", "S"], dtype=sizes), "n": [1, 2]})
hats = pd.DataFrame({"size": pd.Series(["L", "M"], dtype=sizes)})
shirts.attrs["unit"] = units = ["piece"]
hats.index.name = "hat"
groups = shirts.groupby("size", observed=False)
# %% [step:change]
units.append("pair")
shirts["size"] = shirts["size"].cat.add_categories("XL")
merged = hats.merge(shirts, on="size", how="outer")
# %% [step:check]
counts = groups["n"].sum()
print(shirts.dtypes["size"].categories.tolist(), hats["size"].dtype is sizes, hats["size"].dtype == sizes)
print(shirts.attrs, merged, counts, hats["size"].max(), shirts.sort_values("size"))
