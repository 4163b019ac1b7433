"""A colour map, colours and a style are registered by calls and drawn with in later steps.

expected: equal
"""
# %% [imports]
%matplotlib inline
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
# %% [step:register]
mpl.colormaps.register(LinearSegmentedColormap.from_list("shop", ["red", "white", "blue"]))
plt.rcParams["image.cmap"] = "shop"
plt.style.library["bold"] = {"lines.linewidth": 5.0}
mpl.color_sequences.register("two", ["k", "r"])
cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"][:2]
# %% [step:draw]
plt.figure(figsize=(2, 2))
plt.imshow(np.arange(9).reshape(3, 3))
plt.show()
# %% [step:draw_more]
context = plt.style.context({"axes.facecolor": "yellow"})
context.__enter__()
# %%
plt.figure(figsize=(2, 2))
plt.plot([1, 2, 1])
plt.show()
# %% [step:check]
context.__exit__(None, None, None)
plt.figure(figsize=(2, 2))
plt.plot([1, 2, 1], color=mpl.color_sequences["two"][1])
plt.show()
print(plt.rcParams["image.cmap"], mpl.colormaps["shop"](0.0), cycle, plt.rcParams["axes.facecolor"])
del context
