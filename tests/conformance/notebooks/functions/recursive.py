"""Functions call themselves and one another, and one is replaced later.

expected: equal
fused:
"""
# %% [step:define]
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return False if n == 0 else even(n - 1)
fact = lambda n: 1 if n < 2 else n * fact(n - 1)
old_even = even
# %% [step:replace]
def even(n):
    return "changed" if n == 0 else odd(n - 1)
# %% [step:use]
print(even(4), odd(3), old_even(2), old_even(0), fact(20), fact(30))
