"""Text, values and pictures of all rounds stand in order; one figure may be drawn by all of them.

expected: equal
"""
# %% [imports]
import sys
import matplotlib.pyplot as plt
# %% [step:load]
shown, lines = [], []
plt.figure(figsize=(1, 1))
plt.show()
# %% [step:draw, foreach]
for n in [3, 1, 2, 4]:
    print("line", n, end=";")
    print("warn", n, file=sys.stderr)
    if n % 2:
        display(n)
    else:
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.plot(range(n))
        plt.show()
    shown.append(n)
# %% [step:overlay, foreach]
for n in range(4):
    plt.plot([n, n + 1])
    lines.append(len(plt.gca().lines))
# %% [step:show]
print(shown, lines)
