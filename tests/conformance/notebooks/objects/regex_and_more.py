"""Compiled patterns, matches, slices, ranges, UUIDs, addresses, templates and parsers.

expected: equal
"""
# %% [imports]
import argparse, ipaddress, re, string, textwrap, types, uuid
# %% [step:make]
pattern = re.compile(r"(?P<n>\d+)-(\w+)", re.I)
match = pattern.search("x 12-AB")
part, span = slice(1, None, 2), range(0, 10, 3)
ident = uuid.UUID(int=5)
net = ipaddress.ip_network("10.0.0.0/30")
template = string.Template("$a and $b")
space = types.SimpleNamespace(a=1, b=[2])
view = types.MappingProxyType({"a": 1})
parser = argparse.ArgumentParser(prog="x")
_ = parser.add_argument("--n", type=int, default=3)
# %% [step:use]
space.b.append(3)
found = match["n"]
# %% [step:check]
print(found, match.span(), list(range(6))[part], list(span), ident, list(net.hosts()), template.substitute(a=1, b=2), space,
      dict(view), parser.parse_args(["--n", "4"]).n, pattern.findall("1-a 2-b"))
