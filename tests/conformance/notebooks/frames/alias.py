"""Two names hold one frame; one is changed in place.

expected: equal
fused:
"""
# %% [imports]
import pandas as pd
# %% [step:a]
df = pd.DataFrame({"a": [1, 2]})
view = df
# %% [step:b]
df["b"] = 1
df.drop(columns="a", inplace=True)
# %% [step:c]
print(view.shape, list(view), view is df)
