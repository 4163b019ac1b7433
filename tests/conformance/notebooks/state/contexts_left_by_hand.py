"""Contexts are entered and left by hand: decimals, warnings, redirected output, patched dicts.

expected: equal
"""
# %% [imports]
import contextlib, decimal, os, warnings
from unittest import mock
# %% [step:enter]
quiet = warnings.catch_warnings()
quiet.__enter__()
warnings.simplefilter("ignore")
short = decimal.localcontext(prec=4)
short.__enter__()
patch = mock.patch.dict(os.environ, {"SHOP": "open"})
patch.start()
fake = mock.patch("os.path.getsize", return_value=7)
size = fake.start()
# %% [step:use]
warnings.warn("not seen")
inside = (decimal.Decimal(1) / 3, os.environ.get("SHOP"), os.path.getsize("nowhere"))
# %% [step:leave]
fake.stop()
patch.stop()
short.__exit__(None, None, None)
quiet.__exit__(None, None, None)
print(inside, decimal.Decimal(1) / 3, os.environ.get("SHOP"), os.path.getsize is getattr(os.path, "getsize"))
warnings.warn("seen again")
del quiet, short, patch, fake, size
