"""Options of pandas and numpy are set for a while by contexts that are left in a later step.

expected: equal
"""
# %% [imports]
import contextlib
import numpy as np
import pandas as pd
# %% [step:enter]
stack = contextlib.ExitStack()
stack.enter_context(pd.option_context("display.max_columns", 3, "display.width", 40))
stack.enter_context(np.printoptions(precision=2, suppress=True))
stack.enter_context(np.errstate(divide="ignore"))
df = pd.DataFrame(np.arange(12).reshape(2, 6) / 7, columns=list("abcdef"))
# %% [step:inside]
inside = (str(df), str(np.array([1 / 3, 1e-9])), np.ones(1) / 0)
# %% [step:leave]
stack.close()
print(inside, df, np.array([1 / 3]), pd.get_option("display.width"))
