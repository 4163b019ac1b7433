"""A local module and the module that it imports keep state between steps.

expected: equal
fused:
"""
# %% file: shop/__init__.py
from shop import prices
TOTAL = []
def sell(name):
    TOTAL.append(prices.get(name))
    return sum(TOTAL)
class Till:
    opened = 0
    def __init__(self):
        Till.opened += 1
# %% file: shop/prices.py
PRICES = {"tea": 3}
def get(name):
    return PRICES[name]
# %% [imports]
import shop
from shop import sell, prices
# %% [step:a]
prices.PRICES["cake"] = 5
till = shop.Till()
first = sell("tea")
# %% [step:b]
second = sell("cake")
again = shop.Till()
# %% [step:c]
print(first, second, shop.TOTAL, shop.Till.opened, isinstance(till, shop.Till), prices.PRICES)
