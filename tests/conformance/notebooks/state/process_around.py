"""The process itself is used: arguments, signals, timers, priorities and the clock's zone.

expected: equal
"""
# %% [imports]
import os, resource, sys, time
# %% [step:set]
sys.argv = ["train.py", "--rounds", "3"]
os.environ["TZ"] = "America/New_York"
time.tzset()
soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
sys.ps1 = "shop> "
sys.shop = {"open": True}
# %% [step:use]
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
given = parser.parse_args()
# %% [step:check]
sys.shop["open"] = False
print(given.rounds, time.strftime("%H", time.localtime(0)), resource.getrlimit(resource.RLIMIT_CORE)[0])
print(sys.argv, getattr(sys, "ps1", None), sys.shop, time.tzname[0])
del parser, soft, hard
