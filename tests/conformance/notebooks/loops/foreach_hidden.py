"""What rounds call keeps count, or reads what they have filled so far; no round says so.

expected: equal
"""
# %% [step:load]
class Meter:
    def __init__(self):
        self.seen = []

    def read(self, value):
        self.seen.append(value)
        return value * len(self.seen)

class Seen:
    @property
    def count(self):
        return len(seen)

meter, view = Meter(), Seen()
read = getattr(meter, "read")
values, seen = [], []
# %% [step:measure, foreach]
for value in range(5):
    values.append(read(value))
# %% [step:fill, foreach]
for n in range(4):
    number = getattr(view, "count")
    seen.append((n, number))
# %% [step:show]
print(values, meter.seen, seen, number)
