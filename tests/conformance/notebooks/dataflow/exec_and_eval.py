"""Names are made by exec and read by eval.

expected: equal
"""
# %% [step:a]
for _i in range(3):
    exec(f"v{_i} = {_i} * 10")
# %% [step:b]
total = sum(eval(f"v{_i}") for _i in range(3))
exec("total += 1")
# %% [step:c]
print(total, v2, eval("v1 + total"))
