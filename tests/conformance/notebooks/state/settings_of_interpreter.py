"""Settings that the interpreter keeps: the collector, switches, limits, masks and time-outs.

expected: equal
"""
# %% [imports]
import csv, gc, io, logging, os, socket, sys, threading
# %% [step:set]
gc.disable()
gc.set_threshold(500, 5, 5)
sys.setswitchinterval(0.01)
sys.set_int_max_str_digits(5000)
socket.setdefaulttimeout(2.5)
csv.field_size_limit(99)
csv.register_dialect("pipes", delimiter="|")
old_mask = os.umask(0o077)
logging.disable(logging.INFO)
logging.addLevelName(25, "NOTICE")
# %% [step:use]
rows = list(csv.reader(io.StringIO("a|b\nc|d"), "pipes"))
with open("private.txt", "w") as file:
    file.write("x")
mode = oct(os.stat("private.txt").st_mode & 0o777)
log = logging.getLogger("shop")
log.setLevel(logging.DEBUG)
# %% [step:check]
print(gc.isenabled(), gc.get_threshold(), round(sys.getswitchinterval(), 4), sys.get_int_max_str_digits())
print(socket.getdefaulttimeout(), csv.field_size_limit(), rows, mode, log.isEnabledFor(20))
print(logging.getLevelName(25), csv.list_dialects())
del old_mask, file
