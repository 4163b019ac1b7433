"""An array lies in a file; writing to it writes the file.

expected: equal
"""
# %% [imports]
import numpy as np
# %% [step:make]
disk = np.memmap("data.bin", dtype="f4", mode="w+", shape=(4,))
disk[:] = [1, 2, 3, 4]
disk.flush()
# %% [step:write]
disk[0] = 10
disk.flush()
# %% [step:read]
again = np.fromfile("data.bin", dtype="f4")
only = np.memmap("data.bin", dtype="f4", mode="r")
print(again, only.sum(), type(disk).__name__)
