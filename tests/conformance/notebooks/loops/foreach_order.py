"""Rounds that follow from one another: a running total, a loop that ends early, one with an else.

expected: equal
"""
# %% [step:load]
total, totals, first, second = 0, [], [], {}
# %% [step:add, foreach]
for amount in [5, 7, -2, 10]:
    total = total * 2 + amount
    totals.append(total)
# %% [step:stop, foreach]
for n in [1, 4, 9, 16, 25]:
    if n > 10:
        break
    first.append(n)
# %% [step:otherwise, foreach]
for n in [1, 2]:
    second[n] = n
else:
    second["end"] = n
# %% [step:show]
print(total, totals, first, second, n)
