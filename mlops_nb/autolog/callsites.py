"""Where in the source a running call stands: the syntax node behind a frame."""

from __future__ import annotations

import ast
import linecache
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from mlops_nb.autolog.magiccode import (
    find_timed_source,
    has_line_magic,
    is_time_magic,
    read_body,
    unwrap_lines,
)
from mlops_nb.capture.kinds import identify

_MOST_TREES = 128
_MOST_SITES = 512
_MOST_CELLS = 200
_TRIES = 3
_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True, slots=True)
class Tree:
    """Parsed source: its module, the parent of each node, and where calls and functions are.

    Calls are found by where they end, functions by name and first line.
    """

    module: ast.Module
    parents: dict[ast.AST, ast.AST]
    calls: dict[tuple[int, int], ast.Call]
    functions: dict[tuple[str, int], ast.FunctionDef | ast.AsyncFunctionDef]


@dataclass(frozen=True, slots=True)
class Site:
    """One call in the source, being executed by a frame."""

    tree: Tree
    call: ast.Call

    def parents(self) -> Iterator[ast.AST]:
        """Give the nodes around the call, innermost first."""
        node = self.tree.parents.get(self.call)
        while node is not None:
            yield node
            node = self.tree.parents.get(node)


_files: dict[str, tuple[list[str], Tree | None]] = {}
_texts: dict[str, Tree | None] = {}
# By code and instruction; a number of code that is gone may be another's.
_sites: dict[tuple[int, int], tuple[weakref.ref[CodeType], Site | None]] = {}


def _compile(source: str) -> Any:
    """Parse; before Python 3.11.8 and 3.12.2 two threads that do so disturb one another."""
    for _ in range(_TRIES):
        try:
            return compile(source, "<cell>", "exec", _FLAGS)
        except SystemError:
            continue
    return compile(source, "<cell>", "exec", _FLAGS)


def _parse_module(source: str) -> ast.Module | None:
    try:
        module = _compile(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return None
    assert isinstance(module, ast.Module)
    return module


def _parse(source: str) -> Tree | None:
    module = _parse_module(source)
    if module is None:
        return None
    tree = _index(module)
    if has_line_magic(source):
        # What a line magic is given binds names here, but its calls do not run here.
        tree = replace(_index(unwrap_lines(module, _parse_module)), calls=tree.calls)
    return tree


def _index(module: ast.Module) -> Tree:
    parents: dict[ast.AST, ast.AST] = {}
    calls: dict[tuple[int, int], ast.Call] = {}
    functions: dict[tuple[str, int], ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for node in ast.walk(module):
        for child in ast.iter_child_nodes(node):
            parents[child] = node
        if isinstance(node, ast.Call):
            # A closing bracket belongs to one call only, so the end tells calls apart.
            calls[node.end_lineno or 0, node.end_col_offset or 0] = node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            functions.setdefault((node.name, first), node)
    return Tree(module, parents, calls, functions)


def read_tree(frame: FrameType) -> Tree | None:
    """Parse the source a frame runs, cached while the source is the same.

    Parameters
    ----------
    frame
        A running frame of a cell, script or module.

    Returns
    -------
    Tree or None
        None where there is no source, as at a bare prompt.
    """
    filename = frame.f_code.co_filename
    if is_time_magic(frame.f_code):
        source = find_timed_source(frame)
        return None if source is None else parse_text(source)
    lines = linecache.getlines(filename, frame.f_globals)
    if not lines:
        return None
    known = _files.get(filename)
    if known is not None and known[0] is lines:
        return known[1]
    if len(_files) >= _MOST_TREES:
        _files.clear()
    tree = _parse("".join(lines))
    _files[filename] = (lines, tree)
    return tree


def parse_text(source: str) -> Tree | None:
    """Parse the source of a cell, or what the magic at its head runs, cached by its text."""
    if source not in _texts:
        body = read_body(source)
        tree = _parse(source) if body is None else parse_text(body)
        if len(_texts) >= _MOST_TREES:
            _texts.clear()
        _texts[source] = tree
    return _texts[source]


def forget_sources() -> None:
    """Drop every parsed source."""
    _files.clear()
    _texts.clear()
    _sites.clear()


def find_site(frame: FrameType) -> Site | None:
    """Find the call that a frame is executing now.

    Parameters
    ----------
    frame
        A frame that has called something that has not returned.

    Returns
    -------
    Site or None
        None where there is no source or it does not fit the running code.
    """
    code = frame.f_code  # each look is audited
    key = identify(code), frame.f_lasti
    known = _sites.get(key)
    if known is not None and known[0]() is code:
        return known[1]
    site = _find_site(frame)
    if len(_sites) >= _MOST_SITES:
        _sites.clear()
    _sites[key] = (weakref.ref(code), site)
    return site


def _find_site(frame: FrameType) -> Site | None:
    tree = read_tree(frame)
    if tree is None or frame.f_lasti < 0:
        return None
    at = frame.f_lasti // 2
    position = next(islice(frame.f_code.co_positions(), at, at + 1), None)
    if position is None:
        return None
    _, end_line, _, end_column = position
    call = tree.calls.get((end_line or 0, end_column or 0))
    return None if call is None else Site(tree, call)


def find_function(tree: Tree, frame: FrameType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Find the definition of the function that a frame runs; None for a cell or module."""
    return tree.functions.get((frame.f_code.co_name, frame.f_code.co_firstlineno))


def read_history(frame: FrameType, name: str) -> Iterator[Tree]:
    """Give the earlier cells of a notebook that mention a name, newest first."""
    cells = frame.f_globals.get("In")
    if not isinstance(cells, list):
        tree = read_tree(frame)
        if tree is not None:
            yield tree
        return
    for source in reversed(cells[-_MOST_CELLS:]):
        if isinstance(source, str) and name in source:
            tree = parse_text(source)
            if tree is not None:
                yield tree
