"""The shell is told to show every expression of a cell, not only the last.

expected: equal
expected script: refused: it needs IPython
"""
# %% [step:set]
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.ast_node_interactivity = "all"
x = 1
# %% [step:use]
x
x + 1
# %% [step:more]
x += 5
x
"end"
