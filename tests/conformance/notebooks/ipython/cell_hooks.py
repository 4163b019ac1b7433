"""A function runs before every cell.

expected: equal
wrong pipelines: the hook also sees the cells that load and save between the steps
expected script: refused: 
"""
# %% [step:set]
counted = []
def before(info):
    counted.append(len(info.raw_cell))
get_ipython().events.register("pre_run_cell", before)
# %% [step:a]
a = 1
# %% [step:b]
bb = 22
print(counted)
get_ipython().events.unregister("pre_run_cell", before)
