"""Standard output is caught while a step runs, and print is replaced.

expected: equal
"""
# %% [imports]
import builtins, contextlib, io, sys
# %% [step:catch]
buffer = io.StringIO()
with contextlib.redirect_stdout(buffer):
    print("caught")
real = print
def print(*values, **more):
    real("::", *values, **more)
print("mine")
# %% [step:use]
print(buffer.getvalue().strip())
buffer.write("more")
# %% [step:check]
del print
print(buffer.getvalue().split(), buffer.tell(), sys.stdout.isatty())
