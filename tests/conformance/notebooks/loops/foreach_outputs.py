"""Text, values and pictures of all rounds stand in their order, text of one stream in one piece.

expected: equal
"""
# %% [imports]
import sys
import matplotlib.pyplot as plt
# %% [step:load]
shown = []
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
# %% [step:show]
print(shown)
