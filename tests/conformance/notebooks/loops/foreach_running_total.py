"""Each round adds to what the one before has left: the order of rounds is part of the result.

expected: equal
"""
# %% [step:load]
total, totals = 0, []
# %% [step:add, foreach]
for amount in [5, 7, -2, 10]:
    total = total * 2 + amount
    totals.append(total)
# %% [step:show]
print(total, totals)
