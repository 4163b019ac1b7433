"""Worker processes and threads of joblib run the notebook's own function.

expected: equal
fused:
"""
# %% [imports]
import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
# %% [step:define]
factor = 3
def work(i):
    return i * factor
threads = Parallel(n_jobs=2, prefer="threads")(delayed(work)(i) for i in range(4))
# %% [step:fit]
X, y = load_iris(return_X_y=True)
forest = RandomForestClassifier(8, n_jobs=2, random_state=0).fit(X, y)
# %% [step:check]
factor = 5
processes = Parallel(n_jobs=2)(delayed(work)(i) for i in range(4))
print(threads, processes, forest.score(X, y))
