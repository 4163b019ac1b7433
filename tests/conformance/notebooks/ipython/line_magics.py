"""Line magics, assignments from magics and from the shell, and timing.

expected: equal
expected script: refused: the result of %pwd is used
"""
# %% [step:a]
%env CASE_MAGIC=on
listing = %pwd
%time x = 3 ** 4
out = !echo hello && echo $x
# %% [step:b]
name = "world"
said = !echo {name} $x
%precision 3
# %% [step:c]
import os
print(out.n, said[0], os.environ["CASE_MAGIC"], os.path.isdir(listing))
del listing
1 / 3
