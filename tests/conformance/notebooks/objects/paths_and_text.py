"""Paths, byte strings, surrogates, emoji, null bytes and very long texts.

expected: equal
fused:
"""
# %% [imports]
from pathlib import Path, PurePosixPath
# %% [step:make]
folder = Path("data") / "x y"
folder.mkdir(parents=True, exist_ok=True)
pure = PurePosixPath("/a/../b")
odd = "\udc80 \0 \N{SNOWMAN} \U0001f600"
raw = bytes(range(256))
long = "ab" * 100_000
# %% [step:use]
n = (folder / "f.txt").write_bytes(raw)
size = len(long)
# %% [step:check]
print(folder.exists(), pure.parts, ascii(odd), n, size, (folder / "f.txt").read_bytes() == raw)
