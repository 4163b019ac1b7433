"""A figure is saved to files in one step and read back in another.

expected: equal
fused:
"""
# %% [imports]
import matplotlib.pyplot as plt
# %% [step:draw]
fig, ax = plt.subplots(figsize=(2, 2), dpi=40)
ax.bar(["a", "b"], [2, 1])
fig.savefig("bars.png", metadata={"Software": None})
plt.close(fig)
# %% [step:read]
pixels = plt.imread("bars.png")
print(pixels.shape)
# %% [step:show]
plt.imshow(pixels)
plt.axis("off")
plt.show()
