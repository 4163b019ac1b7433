"""An object crosses and is still an instance of the notebook's class.

expected: equal
fused:
"""
# %% [step:a]
class A:
    def hi(self):
        return "hi"


a = A()
# %% [step:b]
r = a.hi()
# %% [step:c]
print(r, isinstance(a, A), type(a) is A)
