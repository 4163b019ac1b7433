"""Abstract classes, super(), class methods and slots; the hierarchy crosses with its instances.

expected: equal
"""
# %% [imports]
import abc
# %% [step:define]
class Shape(abc.ABC):
    made = 0
    __slots__ = ("name",)
    def __init__(self, name):
        self.name = name
        Shape.made += 1
    @abc.abstractmethod
    def area(self): ...
    @classmethod
    def unit(cls):
        return cls(1)
class Square(Shape):
    __slots__ = ("side",)
    def __init__(self, side):
        super().__init__("square")
        self.side = side
    def area(self):
        return self.side ** 2
    @property
    def double(self):
        return 2 * self.side
    @double.setter
    def double(self, value):
        self.side = value / 2
    @staticmethod
    def corners():
        return 4
one = Square.unit()
# %% [step:use]
one.double = 6
two = Square(5)
# %% [step:check]
try:
    Shape("x")
except TypeError as error:
    message = str(error)
print(one.area(), two.area(), Shape.made, Square.corners(), isinstance(one, Shape), message)
