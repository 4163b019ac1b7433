"""A name is bound again only where a condition holds.

expected: equal
fused:
"""
# %% [step:a]
best = 5
scores = [1, 2]
# %% [step:b]
for s in scores:
    if s > 3:
        best = s
# %% [step:c]
print(best, s)
