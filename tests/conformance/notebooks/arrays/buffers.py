"""bytearray, memoryview, array.array and an array over the same bytes.

expected: equal
"""
# %% [imports]
import array
import numpy as np
# %% [step:make]
raw = bytearray(b"abcdef")
seen = np.frombuffer(raw, dtype="u1")
numbers = array.array("d", [1.0, 2.0])
over = np.asarray(numbers)
# %% [step:write]
raw[0] = 120
numbers[1] = 5.0
# %% [step:check]
print(bytes(raw), seen.tolist(), over.tolist(), numbers)
