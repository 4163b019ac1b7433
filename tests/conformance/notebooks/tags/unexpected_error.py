"""A cell fails and nobody expected it: nothing after it runs.

expected: equal
skip script: the script ends with the same error, which is no result to compare
fails: ZeroDivisionError
"""
# %% [step:a]
x = 0
print("a")
# %% [step:b]
y = 1
1 / x
# %%
print("never")
# %% [step:c]
n = open("never.txt", "w").write("x")
