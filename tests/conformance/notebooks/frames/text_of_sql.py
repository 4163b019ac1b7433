"""A text of SQL names frames of the notebook; the step that runs it does not.

expected: equal
"""
# %% [imports]
import polars as pl
# %% [step:make]
sales = pl.DataFrame({"shop": ["a", "b", "a"], "n": [1, 2, 3]})
question = "select shop, sum(n) as n from sales group by shop order by shop"
# %% [step:ask]
answer = pl.sql(question).collect()
# %% [step:check]
context = pl.SQLContext(sales=sales)
more = context.execute("select count(*) as c from sales", eager=True)
print(answer, more)
del context
