"""Settings of libraries that nobody lists, made by their own functions: dask, joblib, sympy, networkx.

expected: equal
"""
# %% [imports]
import dask, joblib, sympy, tqdm
import networkx as nx
import pandas as pd
# %% [step:set]
dask.config.set({"array.chunk-size": "1MiB"})
nx.config.cache_converted_graphs = False
sympy.init_printing(use_unicode=False, pretty_print=False)
x = sympy.Symbol("x", positive=True)
# %% [step:use]
size = dask.config.get("array.chunk-size")
square = sympy.sqrt(x ** 2)
# %%
x / 2
# %% [step:check]
lazy = dask.delayed(lambda n: n + 1)(2)
three = lazy.compute(scheduler="synchronous")
print(size, nx.config.cache_converted_graphs, square, three)
del lazy
