"""A loop within the loop, with a break of its own, and names that only some rounds bind.

expected: equal
"""
# %% [step:load]
best = None
table = {}
# %% [step:search, foreach]
for row in (3, 4, 5, 6):
    for column in range(10):
        if column * column >= row * 5:
            break
    else:
        column = -1
    if row == 4:
        best = (row, column)
    table[row, column] = [row] * column
# %% [step:show]
print(best, table, row, column)
