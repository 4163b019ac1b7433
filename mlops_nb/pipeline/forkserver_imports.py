"""Which of a notebook's imports a fork server may do for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from mlops_nb.notebook.magics import parse_cell

# Importing them computes nothing and starts nothing that a fork would break; all are tested.
ALLOWED = frozenset(
    ["matplotlib", "numpy", "pandas", "PIL", "pyarrow", "scipy", "sklearn", "statsmodels", "torch"]
)
# A notebook that says what libraries read when they load has to load them itself.
_SETS_SCENE = re.compile(
    r"environ\s*\[[^\]]*\]\s*=[^=]|environ\.(update|setdefault|pop|clear)|environ\s*\|=|putenv"
    r"|%(set_)?env\s+\w+\s*[=\s]\s*\S|load_dotenv|%load_ext\s+dotenv"
    r"|sys\.path\s*(\[|=|\.insert|\.extend)|addsitedir|%(cd|pushd)\b|\bchdir\b"
    r"|%pip\b|!\s*pip\b|%conda\b|setswitchinterval|set_int_max_str_digits"
    r"|simplefilter\s*\(\s*['\"](error|always)|meta_path|import_hooks?\b|sys\.modules\s*\["
)


def find_preload(sources: Iterable[str]) -> tuple[str, ...]:
    """Find the modules that a fork server may import ahead of a notebook.

    Parameters
    ----------
    sources
        Its code cells, in order.

    Returns
    -------
    tuple of str
        Dotted names in the order of first import; empty where a cell sets what imports read, such
        as environment variables or the path to look for modules.
    """
    cells = list(sources)
    if any(_SETS_SCENE.search(cell) for cell in cells):
        return ()
    found: dict[str, None] = {}
    for cell in cells:
        try:
            tree = parse_cell(cell)
        except SyntaxError:
            continue  # it fails when it runs
        for name in _list_imports(tree.body):
            if name.partition(".")[0] in ALLOWED:
                found[name] = None
    return tuple(found)


def _list_imports(body: Iterable[ast.stmt]) -> Iterator[str]:
    """List what a cell imports for sure; what stands in a condition or a function may never be."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.With | ast.Try):
            yield from _list_imports(node.body)
