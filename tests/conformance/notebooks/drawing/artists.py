"""Lines, axes and colour bars are kept under names and changed later.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
import matplotlib.pyplot as plt
# %% [step:begin]
fig, ax = plt.subplots(figsize=(3, 2))
(line,) = ax.plot([0, 1, 2], [0, 1, 4], label="squares")
image = np.arange(9).reshape(3, 3)
plt.close(fig)
# %% [step:change]
line.set_ydata([4, 1, 0])
line.set_color("red")
legend = ax.legend()
# %% [step:show]
same = line.axes is ax and ax.figure is fig
print(same, legend.get_texts()[0].get_text())
fig
