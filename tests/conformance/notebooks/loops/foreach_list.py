"""Rounds fill two lists; what they append is an object of the notebook, and one that all share.

expected: equal
"""
# %% [imports]
import dataclasses
# %% [step:load]
@dataclasses.dataclass
class Result:
    name: str
    size: int
    of: object = None

base = Result("base", 0)
found, sizes = [], [0]
# %% [step:fill, foreach]
for index, word in enumerate(["one", "three", "four", "eleven"], 1):
    if len(word) == 4:
        continue
    found.append(Result(word, index, base))
    sizes.append(len(word))
# %% [step:show]
print(found, sizes, all(one.of is base for one in found), [type(one) is Result for one in found])
