"""Options of pandas change how frames print, in this step and in all after it.

expected: equal
fused:
"""
# %% [imports]
import pandas as pd
# %% [step:set]
pd.set_option("display.max_rows", 4)
pd.options.display.precision = 2
pd.options.display.float_format = lambda x: f"<{x:.1f}>"
df = pd.DataFrame({"x": [i / 3 for i in range(10)]})
# %% [step:show]
df
# %% [step:reset]
print(df)
pd.reset_option("display.max_rows")
print(df.head(6), pd.options.display.precision)
