"""A program that a step starts in the background writes a file while later steps run.

expected: equal
"""
# %% [imports]
import subprocess, sys, time
from pathlib import Path
# %% [step:start]
code = "import time, pathlib; time.sleep(1.5); pathlib.Path('done.txt').write_text('done')"
started = subprocess.Popen([sys.executable, "-c", code])
# %% [step:other]
n = 1
# %% [step:wait]
for _ in range(200):
    if Path("done.txt").exists() and Path("done.txt").read_text():
        break
    time.sleep(0.05)
print(Path("done.txt").exists(), n)
