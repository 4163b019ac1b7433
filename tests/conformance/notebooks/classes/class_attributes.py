"""A step changes attributes and methods of a class after instances were made.

expected: equal
fused:
"""
# %% [step:define]
class Model:
    rate = 0.1
    seen = []
    def predict(self):
        return self.rate
model = Model()
# %% [step:patch]
Model.rate = 0.5
Model.seen.append(1)
def better(self):
    return self.rate * 10
Model.predict = better
Model.extra = property(lambda self: self.rate + 1)
# %% [step:check]
model.seen.append(2)
print(model.predict(), Model.seen, model.extra, Model().predict(), type(model) is Model)
