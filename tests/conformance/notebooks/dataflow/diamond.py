"""Two branches add a column each to one frame; the step that joins them needs both.

expected: equal
"""
# %% [imports]
import pandas as pd
# %% [step:load]
df = pd.DataFrame({"a": [1, 2]})
# %% [step:left]
df["b"] = df.a * 2
# %% [step:right]
df["c"] = df.a * 3
# %% [step:join]
print(list(df), df.sum().tolist())
