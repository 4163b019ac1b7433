"""sys.exit(0) ends the notebook well in the middle.

expected: equal
skip script: the script ends there as well, before its last cell could tell its values
fails: SystemExit
"""
# %% [imports]
import sys
# %% [step:a]
x = 1
print("a", x)
# %% [step:b]
print("bye")
sys.exit(0)
# %% [step:c]
n = open("never.txt", "w").write("x")
