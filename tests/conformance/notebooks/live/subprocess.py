"""A process started in one step is spoken to in the next.

expected: equal
"""
# %% [imports]
import subprocess, sys
# %% [step:start]
child = subprocess.Popen([sys.executable, "-uc", "print(int(input()) + 1)"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
# %% [step:speak]
out, err = child.communicate("41\n")
# %% [step:end]
print(out.strip(), child.returncode)
