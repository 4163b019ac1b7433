"""Items that a generator of the notebook makes as it is asked, and an iterator that was begun.

expected: equal
"""
# %% [step:load]
sums, upper = [], []
letters = iter(["a", "b", "c", "d", "e"])
begun = next(letters)

def grow(limit):
    value = 1
    while value < limit:
        print("grow", value)
        value *= 2
        yield value
# %% [step:add, foreach]
for value in grow(20):
    print("round", value)
    sums.append(value + 1)
# %% [step:raise, foreach]
for letter in letters:
    upper.append(letter.upper())
# %% [step:show]
print(sums, value, begun, upper, letter, next(letters, "none"))
