"""Decimal precision, numpy errors, recursion limit and the locale.

expected: equal
fused:
"""
# %% [imports]
import decimal, fractions, locale, sys
import numpy as np
# %% [step:set]
decimal.getcontext().prec = 5
decimal.getcontext().rounding = decimal.ROUND_DOWN
old = np.seterr(divide="raise")
sys.setrecursionlimit(4000)
name = locale.setlocale(locale.LC_NUMERIC, "C")
third = fractions.Fraction(1, 3)
# %% [step:use]
quotient = decimal.Decimal(2) / 3
try:
    np.array([1.0]) / 0
except FloatingPointError as error:
    message = str(error)
# %% [step:check]
with decimal.localcontext() as context:
    context.prec = 3
    short = decimal.Decimal(1) / 3
print(quotient, short, decimal.Decimal(1) / 3, message, sys.getrecursionlimit(), third + 1)
