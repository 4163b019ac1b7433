"""%run brings the names of a script into the notebook.

expected: equal
expected script: refused: %run
"""
# %% file: setup_data.py
import math
rate = 3
def scale(x):
    return math.floor(x * rate)
if __name__ == "__main__":
    was_main = True
# %% [step:run]
%run setup_data.py
# %% [step:use]
rate = 10
y = scale(1.5)
# %% [step:check]
print(y, rate, was_main, scale(2))
