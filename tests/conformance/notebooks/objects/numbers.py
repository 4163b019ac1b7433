"""Huge integers, NaN that is itself, infinities, signed zero, complex, bool, fractions of a second.

expected: equal
fused:
"""
# %% [imports]
import math
import numpy as np
# %% [step:make]
huge = 7 ** 5000
nan = float("nan")
table = {nan: "found"}
values = [nan, -0.0, float("-inf"), 1 + 2j, True, 0.1 + 0.2]
same = values[0] is nan
np_nan = np.nan
# %% [step:use]
looked_up = table.get(nan)
digits = huge.bit_length()
# %% [step:check]
print(looked_up, nan in values, same, digits, huge % 1000003, math.copysign(1, values[1]), values, np_nan is np.nan)
