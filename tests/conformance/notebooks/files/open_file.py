"""A file stays open for writing over two steps.

expected: equal
fused: more, end
"""
# %% [step:begin]
out = open("rows.txt", "w")
n = out.write("one\n")
# %% [step:more]
n = out.write("two\n")
# %% [step:end]
out.close()
print(open("rows.txt").read())
