"""A method of a library's class is wrapped: all later calls pass through the wrapper.

expected: equal
fused:
"""
# %% [imports]
import json, statistics
from collections import Counter
from sklearn.tree import DecisionTreeClassifier
# %% [step:wrap]
calls = []
original = DecisionTreeClassifier.fit
def fit(self, X, y, **more):
    calls.append(len(X))
    return original(self, X, y, **more)
DecisionTreeClassifier.fit = fit
old_mean = statistics.mean
statistics.mean = lambda xs: calls.append("mean") or old_mean(xs)
json.JSONEncoder.default = lambda self, o: sorted(o)
# %% [step:use]
model = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
text = json.dumps({"s": {2, 1}})
# %% [step:unwrap]
DecisionTreeClassifier.fit = original
DecisionTreeClassifier().fit([[0], [1], [2]], [0, 1, 1])
average = statistics.mean([1, 2])
print(calls, text, average)
