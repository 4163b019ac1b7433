"""A function reads what rounds have filled so far.

expected: equal
"""
# %% [step:load]
seen = []
class Seen:
    @property
    def count(self):
        return len(seen)
view = Seen()
# %% [step:fill, foreach]
for n in range(4):
    number = getattr(view, "count")
    seen.append((n, number))
# %% [step:show]
print(seen, number)
