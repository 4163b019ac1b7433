"""A reader of chunks, a group-by object and a rolling window are begun in one step and go on in others.

expected: equal
"""
# %% file: sales.csv
day,shop,n
1,a,3
2,b,4
3,a,5
4,b,6
5,a,7
# %% [imports]
import pandas as pd
# %% [step:open]
reader = pd.read_csv("sales.csv", chunksize=2)
first = next(reader)
# %% [step:more]
second = next(reader)
groups = pd.concat([first, second]).groupby("shop")
window = second["n"].rolling(2)
# %% [step:end]
rest = pd.concat(reader)
means = groups["n"].mean()
print(first.n.tolist(), second.n.tolist(), rest.n.tolist(), means.to_dict(), window.sum().tolist())
reader.close()
