"""Environment variables and print options are set in one step and count in all later ones.

expected: equal
fused:
"""
# %% [imports]
import os, numpy as np
# %% [step:a]
os.environ["MODE"] = "fast"
np.set_printoptions(precision=2)
# %% [step:b]
m = os.environ["MODE"]
# %% [step:c]
print(m, np.array([1.23456]), os.environ.get("MODE"))
