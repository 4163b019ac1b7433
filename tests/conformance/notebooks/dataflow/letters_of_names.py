"""Names are written with letters that Python takes for others: the micro sign, ligatures, accents.

expected: equal
fused:
"""
# %% [step:make]
µ = 3
ﬁt = [1]
größe = 2
café = {"a": 1}
ª = "ordinal"
# %% [step:use]
ﬁt.append(µ)
total = größe + µ
# %% [step:check]
café["b"] = ª
print(total, fit, μ, café)
