"""A column and a slice of a frame are taken, then written to: copy-on-write rules as always.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
import pandas as pd
# %% [step:make]
df = pd.DataFrame({"a": [1, 2, 3], "b": [4.0, 5.0, 6.0]})
col = df["a"]
part = df.iloc[:2]
values = np.array([7, 8, 9])
series = pd.Series(values, copy=False)
renamed = df.rename(columns={"b": "c"})
# %% [step:write]
col.iloc[0] = 100
part.loc[0, "b"] = -1
values[0] = 70
# %% [step:check]
df.loc[2, "a"] = 0
print(df, col.tolist(), part, series.tolist(), renamed)
