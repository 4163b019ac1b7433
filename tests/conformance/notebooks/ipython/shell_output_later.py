"""Outputs of programs and of cells are kept by magics and used steps later.

expected: equal
expected script: refused: 
"""
# %% [step:shell]
%%bash --out said --err wrong
echo to out
echo to err >&2
# %%
!exit 3
# %%
code = _exit_code
listing = !printf 'b 2\na 1\n'
# %% [step:capture]
%%capture kept
print("kept")
display({"x": 1})
1 + 1
# %% [step:use]
fields = listing.fields(0)
told = said.strip() + wrong.strip()
# %% [step:check]
kept.show()
print(code, fields, told, listing.s, len(kept.outputs), listing.sort().n)
del kept
