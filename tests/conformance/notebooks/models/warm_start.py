"""A model is trained further in the next step: warm start, partial_fit, a shared random state.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler
# %% [step:begin]
X, y = load_wine(return_X_y=True)
state = np.random.RandomState(0)
forest = RandomForestClassifier(5, warm_start=True, random_state=state).fit(X, y)
scaler = StandardScaler().partial_fit(X[:90])
sgd = SGDClassifier(random_state=state)
# %% [step:more]
forest.n_estimators += 5
forest.fit(X, y)
scaler.partial_fit(X[90:])
sgd.partial_fit(scaler.transform(X), y, classes=np.unique(y))
# %% [step:check]
forest.set_params(n_estimators=12).fit(X, y)
sgd.partial_fit(scaler.transform(X), y)
print(forest.predict_proba(X[:3]), sgd.coef_.sum(), scaler.mean_, forest.random_state is sgd.random_state)
