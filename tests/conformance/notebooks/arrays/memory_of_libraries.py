"""torch, numpy and pandas look at the same memory: a write through one shows in the others.

expected: equal
"""
# %% [imports]
import numpy as np
import pandas as pd
import torch
# %% [step:make]
tensor = torch.zeros(3)
array = tensor.numpy()
source = np.arange(4.0)
other = torch.from_numpy(source)
half = source[:2]
frame = pd.DataFrame({"x": [1, 2, 3]})
values = frame["x"].to_numpy()
# %% [step:write]
tensor[0] = 5
half[1] = 70
frame.loc[0, "x"] = 10
# %% [step:check]
array[2] = 8
print(tensor, array, other, values, values.flags.writeable, frame.x.tolist())
