"""%%time, %%capture, %%writefile and %%bash stand at the top of cells.

expected: equal
skip warm: the file of the first run is there already, and a step with a program is not cached
skip edited: the file of the first run is there already, and a step with a program is not cached
expected script: refused: capture
fused:
"""
# %% [step:write]
%%writefile tool.py
def double(x):
    return 2 * x
# %%
import tool
# %% [step:capture]
%%capture caught
print("hidden")
value = tool.double(4)
# %%
%%time
total = sum(range(value))
# %% [step:shell]
%%bash
echo from bash > out.txt
# %% [step:check]
text = caught.stdout.strip()
print(text, value, total, open("out.txt").read(), tool.double(3))
