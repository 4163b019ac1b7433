"""Modes of the shell: how errors show, what is shown as text, what a name of a variable may be.

expected: equal
expected script: refused: 
"""
# %% [step:set]
%xmode Plain
%pprint
%config InteractiveShell.ast_node_interactivity = "last_expr_or_assign"
get_ipython().display_formatter.active_types = ["text/plain"]
# %% [step:show]
import pandas as pd
frame = pd.DataFrame({"x": [1]})
# %% [step:fail]
#| raises-exception
def bad():
    return 1 / 0
bad()
# %% [step:check]
["a" * 40, "b" * 40, "c" * 40]
