"""Moments frozen in a name, time zones and differences of times.

expected: equal
fused:
"""
# %% [imports]
import datetime as dt
import time
from zoneinfo import ZoneInfo
# %% [step:freeze]
now = dt.datetime.now()
berlin = dt.datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
utc = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
began = time.time()
copies = [now, now]
# %% [step:use]
later = now + dt.timedelta(days=1)
local = utc.astimezone(berlin.tzinfo)
# %% [step:check]
elapsed = later - now
print(elapsed, local, berlin.utcoffset(), berlin.fold, berlin.tzinfo is local.tzinfo, copies[0] is copies[1],
      dt.datetime.now() >= now, time.time() - began < 600, utc.tzinfo is dt.timezone.utc)
del now, later, copies, began
