"""A library warns once for each place; a later step that does the same is not warned again.

expected: equal
fused:
"""
# %% [imports]
import warnings
from sklearn.metrics import precision_score
# %% [step:first]
a = precision_score([0, 1], [0, 0])
# %% [step:second]
b = precision_score([0, 1], [0, 0])
# %% [step:third]
warnings.warn("from the notebook")
c = precision_score([0, 1, 1], [0, 0, 0])
print(a, b, c)
