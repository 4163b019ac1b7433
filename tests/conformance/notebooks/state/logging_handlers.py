"""A logger with a handler of its own writes into a list and a file.

expected: equal
"""
# %% [imports]
import logging
# %% [step:set]
class Keep(logging.Handler):
    def __init__(self):
        super().__init__()
        self.seen = []
    def emit(self, record):
        self.seen.append(record.getMessage())
keep = Keep()
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(keep)
log.propagate = False
log.info("one")
# %% [step:use]
logging.getLogger("shop").info("two")
log.debug("never")
# %% [step:check]
logging.getLogger("shop.till").warning("three")
print(keep.seen, len(log.handlers))
