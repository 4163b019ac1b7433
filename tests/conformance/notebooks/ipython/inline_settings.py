"""The way figures are shown is configured by %config in a step.

expected: equal
"""
# %% [imports]
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats
# %% [step:set]
%matplotlib inline
%config InlineBackend.rc = {"figure.figsize": (2, 2)}
%config InlineBackend.print_figure_kwargs = {"bbox_inches": None, "facecolor": "yellow"}
set_matplotlib_formats("png", dpi=50)
# %% [step:draw]
plt.figure(figsize=(2, 1))
plt.plot([1, 2])
plt.show()
# %% [step:draw_again]
%config InlineBackend.close_figures = False
fig = plt.figure(figsize=(1, 1))
# %% [step:check]
plt.plot([3, 1])
print(plt.get_fignums())
plt.close("all")
del fig
