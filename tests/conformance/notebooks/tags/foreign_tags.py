"""Tags of other tools stand beside ours and are left alone.

expected: equal
fused:
"""
# %% [hide-input, imports, remove-cell]
import math
# %% [step:a, hide-output, nbval-skip, scrolled]
x = math.sqrt(4)
# %% [slideshow]
x += 1
# %% [step:b, remove_input]
print(x)
