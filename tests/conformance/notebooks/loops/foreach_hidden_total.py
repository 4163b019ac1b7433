"""A function that rounds call changes a variable that no round mentions.

expected: equal
"""
# %% [step:load]
class Meter:
    def __init__(self):
        self.seen = []

    def read(self, value):
        self.seen.append(value)
        return value * len(self.seen)

meter = Meter()
read = getattr(meter, "read")
values = []
# %% [step:measure, foreach]
for value in range(5):
    values.append(read(value))
# %% [step:show]
print(values, meter.seen)
