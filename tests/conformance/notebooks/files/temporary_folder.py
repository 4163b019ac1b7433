"""A temporary folder is removed when its object goes: not before the notebook is done.

expected: equal
"""
# %% [imports]
import os, tempfile
# %% [step:make]
box = tempfile.TemporaryDirectory()
with open(os.path.join(box.name, "x"), "w") as file:
    n = file.write("kept")
del file
# %% [step:use]
text = open(os.path.join(box.name, "x")).read()
# %% [step:end]
there = os.path.isdir(box.name)
box.cleanup()
print(text, there, os.path.isdir(box.name))
del box
