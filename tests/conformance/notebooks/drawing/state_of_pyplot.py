"""Styles and rcParams are set once; figures of later steps follow.

expected: equal
fused:
"""
# %% [imports]
%matplotlib inline
import matplotlib.pyplot as plt
# %% [step:style]
plt.style.use("ggplot")
plt.rcParams["figure.figsize"] = (3, 2)
plt.rc("lines", linewidth=4)
# %% [step:draw]
plt.plot([1, 3, 2])
plt.title("one")
plt.show()
# %% [step:draw_again]
fig, axes = plt.subplots(1, 2)
axes[0].hist([1, 1, 2])
axes[1].scatter([1, 2], [3, 4], c=["r", "b"])
