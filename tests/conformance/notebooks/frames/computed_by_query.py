"""Texts name variables: query and eval of pandas, f-strings and templates read them later.

expected: equal
fused:
"""
# %% [imports]
import string
import pandas as pd
# %% [step:make]
df = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 4.1, 6.2, 7.9]})
limit, scale = 2, 10
condition = "x > @limit"
line = string.Template("limit is $limit")
# %% [step:use]
few = df.query(condition)
df.eval("z = x * @scale", inplace=True)
middle = df.query("@limit < x <= 3")
# %% [step:check]
limit = 3
fewer = df.query(condition)
print(len(few), len(fewer), df.z.tolist(), line.substitute(globals()), len(middle), f"{scale:>5}")
