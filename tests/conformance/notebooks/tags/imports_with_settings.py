"""The cell for all steps sets options and seeds, which later steps change.

expected: equal
fused:
"""
# %% [imports]
import random, warnings
import numpy as np
import pandas as pd
warnings.filterwarnings("ignore")
pd.set_option("display.precision", 3)
np.random.seed(1)
random.seed(1)
RATE = 0.5
names = ["a"]
# %% [step:a]
a = (np.random.rand(), random.random())
RATE = 0.7
names.append("b")
pd.set_option("display.precision", 1)
# %% [step:b]
b = (np.random.rand(), random.random())
print(pd.Series([1 / 3]))
# %% [step:c]
print(a, b, RATE, names, pd.get_option("display.precision"))
