"""Threads are counted and named by the library; the next one goes on with the count.

expected: equal
fused:
"""
# %% [imports]
import threading
from concurrent.futures import ThreadPoolExecutor
# %% [step:first]
names = []
def work():
    names.append(threading.current_thread().name)
def run():
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
run()
# %% [step:second]
run()
with ThreadPoolExecutor(1) as pool:
    pool.submit(work).result()
# %% [step:check]
run()
first = int(names[0].split("-")[1].split()[0])
steps = [int(name.split("-")[1].split()[0]) - first for name in (names[1], names[3])]
print(steps)
del names, first
