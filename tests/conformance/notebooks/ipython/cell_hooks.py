"""Functions run before and after every cell, and see what runs.

expected: equal
fused: a, b, c
expected script: refused: 
"""
# %% [step:set]
counted, begun, ended, done = [], [], [], []
def before(info):
    counted.append((len(info.raw_cell), info.store_history, info.silent))
def begin():
    begun.append(len(begun))
def after(result):
    ended.append((result.success, result.execution_count, result.info.raw_cell[:6]))
events = get_ipython().events
events.register("pre_run_cell", before)
events.register("post_run_cell", after)
events.register("pre_execute", begin)
events.register("post_execute", lambda: done.append(len(begun)))
# %% [step:a]
a = 1
# %% [step:b]
bb = 22
nested = get_ipython().run_cell("inner = 5")
# %%
print(counted, begun, ended, done)
events.unregister("pre_run_cell", before)
del nested, events
# %% [step:c]
print(len(counted), len(begun), len(ended), inner)
