"""The shell itself is used: user_ns, run_cell, display and the input history.

expected: equal
expected script: refused: In reads the output history
"""
# %% [step:a]
ip = get_ipython()
ip.user_ns["made"] = 5
a = made + 1
# %% [step:b]
from IPython.display import HTML, Markdown, display
display(Markdown("*b*"), {"a": a})
result = ip.run_cell("inner = made * 2")
# %% [step:c]
kept = "made" in ip.user_ns and ip is get_ipython()
print(kept, inner, In[2].splitlines()[0], len(In))
del result
