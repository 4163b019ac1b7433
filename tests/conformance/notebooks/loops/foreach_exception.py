"""A round fails: those before it count, those after it never were, whether it is expected or not.

expected: equal
expected script: refused: it is tagged 'raises-exception'
fails: ZeroDivisionError
"""
# %% [imports]
from pathlib import Path
# %% [step:load]
inverse, roots = {}, []
# %% [step:expected, foreach, raises-exception]
for n in [4, 1, -1, 9]:
    if n < 0:
        raise ValueError(n)
    roots.append(n ** 0.5)
# %% [step:divide, foreach]
for n in [2, 1, 0, 4, 5, 8]:
    print("begin", n, roots)
    Path(f"n{n}.txt").write_text("begun")
    inverse[n] = 1 / n
# %% [step:show]
print(inverse)
