"""A figure stays open over two steps: the drawing goes on with plt alone.

expected: equal
"""
# %% [imports]
%config InlineBackend.close_figures = False
import matplotlib.pyplot as plt
# %% [step:begin]
fig = plt.figure(figsize=(2, 2))
plt.plot([1, 2])
# %% [step:go_on]
plt.plot([2, 1])
plt.title("both")
# %% [step:check]
numbers = plt.get_fignums()
lines = len(plt.gca().lines)
print(numbers, lines)
plt.close("all")
