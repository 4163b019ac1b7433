"""A notebook registers an accessor of its own on frames.

expected: equal
"""
# %% [imports]
import pandas as pd
# %% [step:define]
@pd.api.extensions.register_dataframe_accessor("shop")
class Shop:
    def __init__(self, frame):
        self.frame = frame
    def total(self):
        return int(self.frame.price.sum())
df = pd.DataFrame({"price": [1, 2]})
# %% [step:use]
first = df.shop.total()
# %% [step:check]
df.loc[2] = 5
print(first, df.shop.total())
