"""A figure and its axes cross; what is drawn on the axes shows in the figure.

expected: equal
fused:
"""
# %% [imports]
import matplotlib.pyplot as plt
# %% [step:a]
fig, ax = plt.subplots()
# %% [step:b]
ax.set_title("T")
ax.plot([1, 2])
# %% [step:c]
print(fig.axes[0].get_title(), len(fig.axes[0].lines))
picture = fig
