"""An object leaves a part of itself out when it is pickled; the notebook still uses that part.

expected: equal
"""
# %% [step:define]
class Reader:
    def __init__(self):
        self.rows, self.position = [1, 2, 3], 0
    def next(self):
        self.position += 1
        return self.rows[self.position - 1]
    def __getstate__(self):
        return {"rows": self.rows, "position": 0}
reader = Reader()
first = reader.next()
# %% [step:use]
second = reader.next()
print(first, second)
# %% [step:check]
print(reader.position)
