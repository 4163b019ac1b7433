"""Each round writes a file of its own and reads one that is there for all.

expected: equal
"""
# %% [imports]
from pathlib import Path
# %% [step:load]
Path("factor.txt").write_text("3")
Path("results").mkdir()
# %% [step:write, foreach]
for n in range(5):
    factor = int(Path("factor.txt").read_text())
    Path("results", f"{n}.txt").write_text(str(n * factor))
# %% [step:show]
print([path.read_text() for path in sorted(Path("results").iterdir())], n, factor)
