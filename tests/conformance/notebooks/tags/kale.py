"""A notebook with Kale's tags runs unchanged.

expected: equal
fused:
"""
# %% [imports, skip-nothing]
import json
# %% [functions]
def double(x):
    return 2 * x
# %% [pipeline-parameters]
n = 3
# %% [block:load]
data = list(range(n))
# %%
data.append(100)
# %% [block:train, prev:load, limit:nvidia.com/gpu:1, image:python:3.12]
model = double(sum(data))
# %% [skip]
raise SystemExit("never run")
# %% [step:report, prev:train, cache:enabled]
print(json.dumps({"model": model, "n": n}))
