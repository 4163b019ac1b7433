"""The loop goes on with an iterator that a cell above has begun, and uses it up.

expected: equal
"""
# %% [step:load]
letters = iter(["a", "b", "c", "d", "e"])
begun, upper = next(letters), []
# %% [step:raise, foreach]
for letter in letters:
    upper.append(letter.upper())
# %% [step:show]
print(begun, upper, letter, next(letters, "none"))
