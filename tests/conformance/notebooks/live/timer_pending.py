"""A timer without a name fires in a later step.

expected: equal
"""
# %% [imports]
import threading, time
# %% [step:start]
rung = []
threading.Timer(1.5, rung.append, ["ring"]).start()
# %% [step:wait]
for _ in range(200):
    if rung:
        break
    time.sleep(0.05)
# %% [step:check]
print(rung)
