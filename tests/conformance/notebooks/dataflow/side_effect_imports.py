"""Modules are imported in a step for what their import does, and no later line names them.

expected: equal
"""
# %% file: shop_units.py
import json
import statistics
statistics.cube = lambda x: x ** 3
json.UNIT = "kg"
# %% [imports]
import json, statistics
# %% [step:load]
import shop_units
from sklearn.experimental import enable_iterative_imputer
import xml.dom.minidom
# %% [step:use]
from sklearn.impute import IterativeImputer
filled = IterativeImputer(max_iter=2, random_state=0).fit_transform([[1.0, 2.0], [float("nan"), 3.0], [4.0, 5.0]])
# %% [step:check]
import xml
print(statistics.cube(2), json.UNIT, filled.round(3).tolist(), xml.dom.minidom.__name__)
