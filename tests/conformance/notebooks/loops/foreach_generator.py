"""The items come from a generator that prints, and goes on with what rounds have changed.

expected: equal
"""
# %% [step:load]
gauge, sums = [1], []

def grow(limit):
    while sum(gauge) < limit:
        print("grow", gauge)
        gauge.append(sum(gauge))
        yield gauge[-1]
# %% [step:add, foreach]
for value in grow(20):
    print("round", value)
    sums.append(value + 1)
# %% [step:show]
print(sums, gauge, value)
