"""A notebook replaces a function of a library and sets items of its tables.

expected: equal
fused:
"""
# %% [imports]
import json, textwrap
# %% [step:a]
json.decoder.BACKSLASH["q"] = "!"
textwrap.width = lambda: n
# %% [step:b]
n = 7
a = len(json.decoder.BACKSLASH)
# %% [step:c]
print(a, json.decoder.BACKSLASH["q"], textwrap.width())
