"""A name is bound in one branch only, and a parameter decides which.

expected: equal
params: {"mode": "slow"}
"""
# %% [parameters]
mode = "fast"  # how to go
# %% [step:choose]
if mode == "fast":
    speed = 10
else:
    speed, note = 1, "took the other way"
# %% [step:use]
cost = 100 / speed
# %% [step:check]
print(cost, mode, note)
