"""Aliases, macros, bookmarks and the stack of folders are set by magics and used steps later.

expected: equal
expected script: refused: 
"""
# %% [imports]
import os
# %% [step:set]
%alias greet echo hello
x = 3
# %%
%macro -q again 2
# %%
os.makedirs("deep/er", exist_ok=True)
stack = %pushd -q deep
# %% [step:use]
%greet you
again
here = os.path.basename(os.getcwd())
# %% [step:check]
%cd -q -
listed = str(again.value.strip())
print(len(stack), here, x, os.path.exists("deep"), listed)
del stack
