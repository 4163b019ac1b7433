"""What a cell touches besides variables: random numbers, files, the session. Told from its text."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from mlops_nb.notebook.magics import (
    CODE_CELL_MAGICS,
    CODE_LINE_MAGICS,
    DISPLAY_MAGICS,
    PACKAGE_MAGICS,
    is_shell,
    parse_cell,
    read_magic,
)


def _words(text: str) -> frozenset[str]:
    """Give the words of a table."""
    return frozenset(text.split())


_RANDOM_TEXT = re.compile(r"\brandom\b|\brand(n|int|perm)?\b|\bseed\b|manual_seed|default_rng")
# Members of libraries that draw from the shared generators unless they are given a state.
_DRAWING = _words(
    """
    sample shuffle train_test_split fit fit_transform fit_predict partial_fit cross_val_score
    cross_validate cross_val_predict GridSearchCV RandomizedSearchCV KMeans Dropout Linear Conv2d
    DataLoader randn rand randint randperm normal uniform choice permutation bootstrap resample
    kaiming_normal_ xavier_uniform_ backward KFold StratifiedKFold ShuffleSplit
    """
)
_SESSION = _words(
    """
    chdir putenv unsetenv setenv filterwarnings simplefilter set_option reset_option use
    set_default_dtype set_num_threads use_deterministic_algorithms seterr setlocale
    set_config basicConfig setrecursionlimit set_default_device set_printoptions
    """
)
_WRITING = re.compile(r"to_(csv|parquet|pickle|json|excel|feather|hdf|sql)|save\w*|dump|write\w*")
_WRITING_NAMES = _words(
    "mkdir makedirs rename replace copy copyfile copytree move unlink remove rmtree urlretrieve "
    "extractall unpack_archive touch fetch_openml system run Popen check_call check_output"
)
_READING = re.compile(r"read_\w+|load\w*|open|fromfile|genfromtxt|imread|scan_\w+|glob|listdir")
_READING_NAMES = _words("exists is_file iterdir rglob getsize stat walk")


@dataclass(frozen=True, slots=True)
class Traces:
    """What a cell may touch.

    Attributes
    ----------
    draws
        It may draw from or set a shared random generator.
    reads_files, writes_files
        It may read or write files.
    sets_session
        It sets something of the process: folder, environment, options, an attribute of a module.
    """

    draws: bool = False
    reads_files: bool = False
    writes_files: bool = False
    sets_session: bool = False


def find_traces(source: str, modules: frozenset[str] = frozenset()) -> Traces:
    """Tell what a cell may touch besides variables.

    Parameters
    ----------
    source
        The cell as it stands in the notebook.
    modules
        Names by which modules are known there.

    Returns
    -------
    Traces
        Rather too much than too little; code in functions counts where it is defined.
    """
    try:
        tree = parse_cell(source)
    except (SyntaxError, RecursionError, MemoryError):
        return Traces(True, True, True, True)
    draws = bool(_RANDOM_TEXT.search(source))
    reads = writes = session = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not is_shell(node):
            if (magic := read_magic(node)) is not None:
                quiet = DISPLAY_MAGICS | PACKAGE_MAGICS | CODE_LINE_MAGICS
                is_quiet = magic.kind == "line" and magic.name in quiet
                draws = draws or magic.name in CODE_LINE_MAGICS | CODE_CELL_MAGICS
                session = session or not is_quiet
                reads, writes = reads or not is_quiet, writes or not is_quiet
                continue
            name = _last_name(node.func)
            draws = draws or (name in _DRAWING and not _has_state(node))
            reads = reads or bool(_READING.fullmatch(name)) or name in _READING_NAMES
            writes = writes or bool(_WRITING.fullmatch(name)) or name in _WRITING_NAMES | {"open"}
            session = session or name in _SESSION
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            session = session or _find_root(node) in modules
    text_sets = "environ" in source or "sys.path" in source or "rcParams" in source
    return Traces(draws, reads, writes, session or text_sets)


def _last_name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _has_state(node: ast.Call) -> bool:
    return any(item.arg in ("random_state", "seed", "generator") for item in node.keywords)


def _find_root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return getattr(node, "id", "")
