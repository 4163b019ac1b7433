"""Steps are named by comments at the top of cells, for editors without tags.

expected: equal
fused:
"""
# %%
#| imports
import math
# %%
#| parameters
r = 2
# %%
#| step: area
area = round(math.pi * r ** 2, 2)
# %%
#| step: report
#| after: area
print(area)
# %%
#| skip
1 / 0
