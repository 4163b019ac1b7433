"""A step changes the working folder and sys.path; files and imports of later steps follow.

expected: equal
fused:
"""
# %% [imports]
import os, sys
from pathlib import Path
# %% [step:move]
os.makedirs("sub/lib", exist_ok=True)
n = Path("sub/lib/own_tool.py").write_text("VALUE = 5\ndef use():\n    return VALUE\n")
os.chdir("sub")
sys.path.insert(0, "lib")
# %% [step:use]
import own_tool
own_tool.VALUE = 6
n = Path("made.txt").write_text("x")
# %% [step:check]
from own_tool import use
print(use(), own_tool.VALUE, Path("made.txt").exists(), Path.cwd().name, "lib" in sys.path)
