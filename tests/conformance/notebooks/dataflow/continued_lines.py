"""Lines that look like magics inside texts and continued expressions are none.

expected: equal
fused:
"""
# %% [step:a]
x = (7
% 4)
text = """
%time nothing
!ls
{{ not a template }} %d
"""
# %% [step:b]
y = (x
 != 3) if x else '''?'''
# %% [step:c]
z = text.count("%") + len("?x?")
print(x, y, z, f"{ {'a': x}['a'] }", '''it's "quoted"''')
