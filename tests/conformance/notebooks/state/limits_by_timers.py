"""A timer of the system and an exception hook are armed in one step and go off in a later one.

expected: equal
"""
# %% [imports]
import signal, time
# %% [step:arm]
rung = []
old = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.3)
# %% [step:wait]
for _ in range(100):
    if rung:
        break
    time.sleep(0.02)
# %% [step:check]
print(rung == [signal.SIGALRM])
signal.signal(signal.SIGALRM, old)
del old, rung
