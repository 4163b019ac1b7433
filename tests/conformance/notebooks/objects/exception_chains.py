"""Exceptions without traceback keep cause, context, notes and their own attributes.

expected: equal
fused:
"""
# %% [step:make]
class ShopError(Exception):
    def __init__(self, code, *, detail=None):
        super().__init__(f"code {code}")
        self.code, self.detail = code, detail
error = ShopError(3, detail=[1])
error.__cause__ = KeyError("k")
error.add_note("noted")
other = ValueError("v")
other.__context__ = error
lost = FileNotFoundError(2, "No such file", "x.txt")
# %% [step:use]
error.detail.append(2)
# %% [step:check]
print(repr(error), str(error), error.code, error.detail, repr(error.__cause__), error.__suppress_context__,
      error.__notes__, other.__context__ is error, lost.errno, lost.filename)
