"""A thread fills a list while the notebook goes on.

expected: equal
"""
# %% [imports]
import queue, threading
# %% [step:start]
done, jobs = [], queue.Queue()
lock = threading.Lock()
def work():
    while True:
        job = jobs.get()
        if job is None:
            return
        with lock:
            done.append(job * 2)
thread = threading.Thread(target=work)
thread.start()
jobs.put(1)
# %% [step:feed]
jobs.put(2)
# %% [step:join]
jobs.put(None)
thread.join()
print(done, lock.locked())
