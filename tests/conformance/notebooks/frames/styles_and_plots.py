"""A styled table, a registered converter and the plotting back end of pandas are used steps later.

expected: equal
"""
# %% [imports]
import matplotlib
import pandas as pd
# %% [step:make]
%matplotlib inline
df = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=3), "x": [1.0, 2.5, 2.0]})
styled = df.style.format({"x": "{:.2f}"}).highlight_max(subset="x")
pd.plotting.register_matplotlib_converters()
pd.plotting.plot_params["x_compat"] = True
# %% [step:draw]
axes = df.plot(x="t", y="x")
# %% [step:check]
known = sorted(kind.__name__ for kind in matplotlib.units.registry if kind.__module__.startswith("pandas"))
text = styled.to_string()
print(known, text, pd.plotting.plot_params["x_compat"], axes.get_xlabel())
del axes, styled
