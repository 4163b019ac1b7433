"""A module is written by the notebook, imported, written anew and reloaded.

expected: equal
"""
# %% [imports]
import importlib, sys
sys.dont_write_bytecode = True
# %% [step:write]
with open("recipe.py", "w") as file:
    n = file.write("def cook():\n    return 'soup'\n")
del file
import recipe
first = recipe.cook()
# %% [step:rewrite]
with open("recipe.py", "w") as file:
    n = file.write("def cook():\n    return 'stew, longer'\n")
del file
before = recipe.cook()
# %% [step:reload]
recipe = importlib.reload(recipe)
print(first, before, recipe.cook())
