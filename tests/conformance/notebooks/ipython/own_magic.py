"""The notebook registers a magic of its own, and a formatter for a class.

expected: equal
expected script: refused: 
"""
# %% [step:define]
from IPython.core.magic import register_line_magic
@register_line_magic
def shout(line):
    return line.upper()
class Money:
    def __init__(self, n):
        self.n = n
get_ipython().display_formatter.formatters["text/plain"].for_type(
    Money, lambda m, p, cycle: p.text(f"{m.n} EUR"))
# %% [step:use]
loud = %shout hello
# %% [step:show]
print(loud)
Money(5)
