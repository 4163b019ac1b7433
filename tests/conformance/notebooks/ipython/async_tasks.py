"""A task begun in one cell is awaited in a cell of the next step.

expected: equal
expected script: refused: 'await'
"""
# %% [imports]
import asyncio
# %% [step:begin]
async def work(n):
    await asyncio.sleep(0.01)
    return n * 2
class Gate:
    async def __aenter__(self): return "open"
    async def __aexit__(self, *exc): return False
async def numbers():
    for i in range(3):
        yield i
task = asyncio.create_task(work(4))
# %% [step:go_on]
value = await task
# %% [step:check]
async with Gate() as gate:
    seen = [i async for i in numbers()]
both = await asyncio.gather(work(1), work(2))
print(value, gate, seen, both)
