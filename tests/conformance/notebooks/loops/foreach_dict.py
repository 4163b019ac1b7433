"""Rounds fill a dict: keys come in the order of the items, a key met twice keeps its first place.

expected: equal
"""
# %% [imports]
import statistics
# %% [step:load]
data = {"a": [1, 2, 6], "b": [4, 4], "c": [9], "A": [5, 7]}
scores = {"c": None}
# %% [step:score, foreach]
for name, values in data.items():
    mean = statistics.mean(values)
    print(name, mean)
    scores[name.lower()] = mean
# %%
name, values is data["A"], mean
# %% [step:show]
print(list(scores.items()))
