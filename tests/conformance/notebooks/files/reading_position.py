"""A file is read line by line, the first lines in one step, the rest in another.

expected: equal
"""
# %% [step:write]
with open("in.txt", "w") as file:
    n = file.write("head\n1\n2\n")
del file
# %% [step:head]
source = open("in.txt")
head = source.readline()
# %% [step:rest]
numbers = [int(line) for line in source]
source.close()
print(head, numbers)
