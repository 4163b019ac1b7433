"""An estimator and a transformer of the notebook's own work inside a pipeline and a search.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
# %% [step:define]
class Center(BaseEstimator, TransformerMixin):
    def __init__(self, by="mean"):
        self.by = by
    def fit(self, X, y=None):
        self.center_ = getattr(np, self.by)(X, axis=0)
        return self
    def transform(self, X):
        return X - self.center_
class Nearest(BaseEstimator, ClassifierMixin):
    def __init__(self, power=2):
        self.power = power
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == c].mean(axis=0) for c in self.classes_])
        return self
    def predict(self, X):
        far = (np.abs(X[:, None] - self.means_) ** self.power).sum(axis=2)
        return self.classes_[far.argmin(axis=1)]
X, y = load_iris(return_X_y=True)
pipe = Pipeline([("center", Center()), ("near", Nearest())])
# %% [step:search]
search = GridSearchCV(pipe, {"near__power": [1, 2], "center__by": ["mean", "median"]}, cv=3).fit(X, y)
best = search.best_estimator_
# %% [step:check]
again = clone(best).fit(X, y)
same = isinstance(best.named_steps["center"], Center)
print(search.best_params_, search.best_score_, again.score(X, y), same)
