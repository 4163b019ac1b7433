"""A loop that a round may end, and one with an else: order decides.

expected: equal
"""
# %% [step:load]
first, second = [], {}
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
print(first, second, n)
