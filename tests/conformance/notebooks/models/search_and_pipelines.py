"""A pipeline with a memory, a search that shares a generator, and metadata routing over three steps.

expected: equal
"""
# %% [imports]
import numpy as np
import sklearn
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import make_scorer
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
# %% [step:make]
sklearn.set_config(enable_metadata_routing=True, display="text")
state = np.random.RandomState(0)
X, y = make_classification(80, random_state=state)
def keep(values):
    return values[:, :5]
pipe = make_pipeline(FunctionTransformer(keep), StandardScaler(), SGDClassifier(random_state=state), memory="memo")
def gain(true, guess):
    return float((true == guess).mean()) * weight
weight = 1.0
search = RandomizedSearchCV(pipe, {"sgdclassifier__alpha": [1e-4, 1e-2, 1.0]}, n_iter=2, cv=2,
                            random_state=state, scoring=make_scorer(gain))
# %% [step:fit]
weight = 2.0
search.fit(X, y)
# %% [step:check]
best = search.best_params_
scores = search.cv_results_["mean_test_score"]
print(best, scores, search.best_estimator_.named_steps["sgdclassifier"].random_state is state, state.rand())
print(pipe, sklearn.get_config()["enable_metadata_routing"])
import shutil
shutil.rmtree("memo")
del search, pipe
