"""A task that no name holds fills a list while later steps await other things.

expected: equal
expected script: refused: 
"""
# %% [imports]
import asyncio
# %% [step:begin]
heard = []
tasks = set()
async def listen():
    for i in range(3):
        await asyncio.sleep(0.01)
        heard.append(i)
tasks.add(asyncio.create_task(listen()))
# %% [step:wait]
for _ in range(100):
    await asyncio.sleep(0.02)
    if len(heard) == 3:
        break
# %% [step:check]
print(heard)
