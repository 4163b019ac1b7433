"""sympy is told by a call how cells show what they compute.

expected: equal
"""
# %% [imports]
import sympy
# %% [step:set]
sympy.init_printing(use_unicode=False, use_latex=False)
x = sympy.Symbol("x")
# %% [step:use]
x ** 2 / 3
# %% [step:check]
sympy.Integral(x, x)
