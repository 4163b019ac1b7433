"""Sliders are made in one step, linked and moved in the next ones.

expected: equal
expected script: refused: 
"""
# %% [imports]
import ipywidgets
# %% [step:make]
moved = []
slider = ipywidgets.IntSlider(value=3, max=10, description="n")
text = ipywidgets.IntText()
slider.observe(lambda change: moved.append(change["new"]), names="value")
link = ipywidgets.jslink((slider, "value"), (text, "value"))
# %% [step:move]
slider.value = 7
out = ipywidgets.Output()
# %% [step:check]
slider.value += 1
n = slider.value
print(moved, n, slider.description)
del slider, text, link, out
