"""Cells await at their top level, as only notebooks can.

expected: equal
expected script: refused: 'await'
fused:
"""
# %% [imports]
import asyncio
# %% [step:a]
async def f():
    return 3
x = await f()
# %% [step:b]
y = await asyncio.sleep(0, x + 1)
# %% [step:c]
print(x, y, await f())
