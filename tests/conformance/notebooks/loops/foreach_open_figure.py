"""All rounds draw into the one figure that is open.

expected: equal
"""
# %% [imports]
import matplotlib.pyplot as plt
# %% [step:load]
lines = []
# %% [step:draw, foreach]
for n in range(4):
    plt.plot([n, n + 1])
    lines.append(len(plt.gca().lines))
# %% [step:show]
print(lines)
