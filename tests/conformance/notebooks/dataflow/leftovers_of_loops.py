"""Loop variables, unpacked names and with-targets stay after their block, as Python leaves them.

expected: equal
fused:
"""
# %% [step:a]
for i, (p, q) in enumerate([(1, 2), (3, 4)]):
    pass
else:
    done = True
for never in []:
    pass
class Manager:
    def __enter__(self): return self
    def __exit__(self, *e): return True
with Manager() as m:
    raise ValueError
# %% [step:b]
i += 10
# %% [step:c]
print(i, p, q, done, "never" in globals(), type(m).__name__)
