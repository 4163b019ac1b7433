"""The same list lies in several places; equal lists lie apart.

expected: equal
fused:
"""
# %% [step:make]
rows = [[0] * 2] * 3
apart = [[0] * 2 for _i in range(3)]
shared = {"x": rows[0], "y": (rows, apart)}
text = "a long text that is the same object" * 2
copies = [text, text]
default = dict.fromkeys("ab", [])
# %% [step:change]
rows[0][0] = 1
apart[0][0] = 1
default["a"].append(1)
# %% [step:check]
shared["x"].append(5)
print(rows, apart, shared, copies[0] is copies[1], default)
