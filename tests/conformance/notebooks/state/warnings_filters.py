"""Filters say which warnings show; one of them turns warnings into errors.

expected: equal
fused:
"""
# %% [imports]
import warnings
# %% [step:set]
warnings.filterwarnings("ignore", message="quiet.*")
warnings.simplefilter("error", DeprecationWarning)
# %% [step:use]
warnings.warn("quiet one")
try:
    warnings.warn("old", DeprecationWarning)
    got = "nothing"
except DeprecationWarning as error:
    got = repr(error)
# %% [step:check]
warnings.warn("loud one")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("quiet again")
print(got, len(caught))
del caught
