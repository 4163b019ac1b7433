"""A handler of errors and a codec are registered by calls; texts of later steps pass through them.

expected: equal
"""
# %% [imports]
import codecs
# %% [step:register]
codecs.register_error("stars", lambda e: ("*" * (e.end - e.start), e.end))
def find(name):
    if name == "upper":
        return codecs.CodecInfo(lambda text, errors="strict": (text.upper().encode(), len(text)), None, name=name)
codecs.register(find)
# %% [step:use]
starred = "a\xe9".encode("ascii", "stars")
# %% [step:check]
print(starred, "shop".encode("upper"))
