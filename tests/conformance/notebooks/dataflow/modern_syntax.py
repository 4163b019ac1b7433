"""match, walrus, star assignments, nested f-strings, positional-only parameters, except*.

expected: equal
fused:
"""
# %% [step:a]
first, *rest = range(5)
(a, [b, c]), d = (1, [2, 3]), 4
if (n := len(rest)) > 3:
    big = f"{n!r:>{n}} {'{}'.format(n)}"
found = [last := x for x in rest if x % 2]
# %% [step:b]
def kind(point):
    match point:
        case {"x": x, **others}:
            return "dict", x, others
        case [x, y, *more] if x:
            return "list", more
        case int(v) | float(v):
            return "number", v
        case _:
            return "none"
def call(p, /, q, *args, r=1, **kw):
    return p, q, args, r, kw
# %% [step:c]
match {"x": 1, "z": 2}:
    case {"x": x, **others}:
        pass
kinds = [kind(p) for p in ({"x": 1, "k": 2}, [1, 2, 3], 2.5, None)]
print(first, rest, a, b, c, d, n, big, last, kinds, x, others, call(1, 2, 3, r=4, s=5))
