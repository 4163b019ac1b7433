"""A file is opened for writing and never closed; what was written last comes to the disk at the end.

expected: equal
expected script: equal
"""
# %% [imports]
import csv
# %% [step:write]
table = open("sales.csv", "w", newline="")
rows = csv.writer(table)
rows.writerow(["a", 1])
# %% [step:other]
n = 3
# %% [step:look]
seen = open("sales.csv").read()
print(repr(seen), n)
