"""A notebook adds attributes to a module and to a class of a library.

expected: equal
fused:
"""
# %% [imports]
import math, pandas as pd
# %% [step:a]
math.answer = 42
pd.DataFrame.rows = property(len)
# %% [step:b]
df = pd.DataFrame({"a": [1, 2]})
# %% [step:c]
print(math.answer, df.rows)
