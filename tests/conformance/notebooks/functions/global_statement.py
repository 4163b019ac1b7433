"""Functions change globals of the notebook with 'global'.

expected: equal
fused:
"""
# %% [step:define]
total = 0
def bump(n=1):
    global total, newest
    total += n
    newest = n
# %% [step:use]
bump()
bump(5)
# %% [step:check]
bump(10)
print(total, newest)
