"""tqdm gives frames a method by a call; a bar of it is begun in one step and ends in another.

expected: equal
"""
# %% [imports]
import io
import pandas as pd
from tqdm import tqdm
# %% [step:begin]
told = io.StringIO()
tqdm.pandas(file=told, disable=True)
bar = tqdm(total=4, file=told, mininterval=0, miniters=1)
bar.update(1)
df = pd.DataFrame({"x": [1, 2, 3]})
# %% [step:use]
doubled = df["x"].progress_apply(lambda v: v * 2).tolist()
bar.update(2)
# %% [step:end]
bar.update(1)
bar.close()
print(doubled, bar.n, bar.total, "100%" in told.getvalue())
del told, bar
