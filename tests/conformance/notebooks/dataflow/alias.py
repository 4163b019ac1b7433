"""Two names hold one list; a step appends through one, the next reads through the other.

expected: equal
fused:
"""
# %% [step:a]
log = []
state = {"log": log}
# %% [step:b]
log.append(1)
# %% [step:c]
print(log, state["log"])
result = state["log"] is log
