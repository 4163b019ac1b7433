"""sklearn is told to give frames and to show little.

expected: equal
fused:
"""
# %% [imports]
import sklearn
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler
# %% [step:set]
sklearn.set_config(transform_output="pandas", print_changed_only=False)
X, y = load_iris(return_X_y=True, as_frame=True)
# %% [step:use]
scaled = StandardScaler().fit_transform(X)
# %% [step:check]
print(type(scaled).__name__, list(scaled)[:2], StandardScaler())
