"""An extension of the project is loaded in a step: it counts cells and brings a magic.

expected: equal
expected script: refused: 
"""
# %% file: till.py
seen = []
def note(info):
    seen.append(info.raw_cell.splitlines()[0])
def load_ipython_extension(ip):
    ip.events.register("pre_run_cell", note)
    ip.register_magic_function(lambda line: len(seen), "line", "seen_cells")
# %% [step:load]
%load_ext till
# %% [step:use]
count = %seen_cells
# %% [step:check]
import till
again = %seen_cells
print(count, again, till.seen)
