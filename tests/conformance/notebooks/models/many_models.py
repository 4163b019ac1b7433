"""Models trained in a loop lie in a dict and are compared two steps later.

expected: equal
fused:
"""
# %% [imports]
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier
# %% [step:load]
X, y = load_iris(return_X_y=True, as_frame=True)
models = {}
# %% [step:train]
for depth in (1, 2, 3):
    models[f"tree{depth}"] = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
models["logistic"] = LogisticRegression(max_iter=500).fit(X, y)
scorer = make_scorer(accuracy_score)
# %% [step:score]
scores = {name: accuracy_score(y, model.predict(X)) for name, model in models.items()}
folds = {name: cross_val_score(model, X, y, scoring=scorer, cv=3).mean() for name, model in models.items()}
best = max(folds, key=folds.get)
# %% [step:report]
print(scores, folds, best, models[best].feature_names_in_.tolist())
