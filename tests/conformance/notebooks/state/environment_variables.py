"""Variables of the environment are set, changed and removed, and reach processes started later.

expected: equal
fused:
"""
# %% [imports]
import os, subprocess, sys
# %% [step:set]
os.environ["CASE_A"] = "1"
os.environ["CASE_B"] = "gone soon"
os.environ.setdefault("CASE_C", "c")
# %% [step:change]
del os.environ["CASE_B"]
os.environ["CASE_A"] += "2"
# %% [step:check]
code = "import os; print(os.environ.get('CASE_A'), os.environ.get('CASE_B'), os.environ['CASE_C'])"
out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
print(out, sorted(k for k in os.environ if k.startswith("CASE_")))
