"""A table that one step shows is updated by the next: the first output changes.

expected: equal
expected script: refused: 
"""
# %% [imports]
from IPython.display import display, update_display, clear_output
# %% [step:show]
handle = display("waiting", display_id="progress")
other = display({"done": 0}, display_id="state")
# %% [step:work]
for i in range(3):
    clear_output(wait=True)
    print("round", i)
    update_display({"done": i}, display_id="state")
# %% [step:end]
if handle is not None:
    handle.update("ready")
print(type(handle).__name__)
del handle, other
