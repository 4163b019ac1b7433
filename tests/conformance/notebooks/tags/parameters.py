"""Parameters of every type are given, and one of them is changed later.

expected: equal
params: {"n": 4, "rate": 0.25, "name": "it's \"x\" \\ {y}", "flag": False, "sizes": [1, 2], "table": {"a": None}, "date": "2021-02-03"}
"""
# %% [imports]
import datetime as dt
from typing import Literal, Optional
# %% [parameters]
n: int = 1  # how many
rate = 0.5
name: str = "x"
flag: bool = True
sizes: list[int] = [3]
table: Optional[dict] = None
date = "2020-01-01"
kind: Literal["a", "b"] = "a"
# %% [step:use]
double = n * 2
total = n * rate
# %% [step:change]
n = n + 1
sizes.append(n)
# %% [step:check]
print(n, double, total, name, flag, sizes, table, date, kind)
