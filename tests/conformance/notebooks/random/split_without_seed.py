"""train_test_split and a forest draw from numpy's global state in different steps.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
# %% [step:load]
np.random.seed(3)
X, y = make_classification(120, 5, random_state=0)
# %% [step:split]
X_train, X_test, y_train, y_test = train_test_split(X, y)
# %% [step:train]
model = RandomForestClassifier(10).fit(X_train, y_train)
# %% [step:score]
score = model.score(X_test, y_test)
again = RandomForestClassifier(10).fit(X_train, y_train).score(X_test, y_test)
print(score, again)
