"""Secrets by reference: ``secret:NAME`` stands for an environment variable, wherever we write."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from mlops_nb.errors import ParameterError, near_misses

PREFIX = "secret:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST = 4  # to take out shorter texts would leave holes everywhere
_SHORTEST_LINE = 8


class Secret(str):
    """A reference to an environment variable; as text, and in every record, ``secret:NAME``.

    Parameters
    ----------
    text
        ``secret:NAME``.
    """

    __slots__ = ()

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return self.removeprefix(PREFIX)


def read_secret(what: str, text: str, environ: Mapping[str, str] | None = None) -> Secret:
    """Read a reference to a secret, checking that there is one; its value goes nowhere.

    Parameters
    ----------
    what
        What the value is for, in error messages.
    text
        Text that begins with ``secret:``.
    environ
        The environment; that of this process by default.

    Returns
    -------
    Secret
        The reference.

    Raises
    ------
    ParameterError
        It names no environment variable, or one that is not set or too short to be redacted.
    """
    known = os.environ if environ is None else environ
    name = text.removeprefix(PREFIX)
    if not _VARIABLE.fullmatch(name):
        hint = f"{PREFIX!r} at the beginning of a value is kept for secrets."
        raise ParameterError(what, text, "secret:NAME with the name of a variable", hint)
    if name not in known:
        near = near_misses(name, known)
        hint = f"Did you mean {PREFIX + near[0]!r}?" if near else f"Set it: export {name}=..."
        raise ParameterError(what, text, "the name of an environment variable that is set", hint)
    if len(known[name]) < _SHORTEST:
        hint = "A shorter value could not be taken out of outputs."
        expected = f"a secret of at least {_SHORTEST} characters in that variable"
        raise ParameterError(what, text, expected, hint)
    return Secret(text)


def collect_secrets(
    values: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Give the secrets among values of parameters, for :func:`redact`.

    Parameters
    ----------
    values
        Values by name of parameter.
    environ
        The environment; that of this process by default.

    Returns
    -------
    dict
        Secret texts by reference; to be kept in memory only.
    """
    known = os.environ if environ is None else environ
    found = [value for value in values.values() if isinstance(value, Secret)]
    return {str(value): known[value.variable] for value in found if value.variable in known}


def redact(text: str, values: Mapping[str, str]) -> str:
    """Take secrets out of a text, in every form in which they are usually written.

    Parameters
    ----------
    text
        Any text that goes into a file, a log or a page.
    values
        As :func:`collect_secrets` gives them.

    Returns
    -------
    str
        The text with ``[secret:NAME]`` in place of each secret, whether it stood as it is, with
        the escapes of JSON, Python, HTML or an address, or in base 64.
    """
    forms = {form: name for name, value in values.items() for form in _list_forms(value)}
    for form in sorted(forms, key=len, reverse=True):
        if form in text:
            text = text.replace(form, f"[{forms[form]}]")
    return text


def redact_document(node: Any, values: Mapping[str, str]) -> Any:
    """Take secrets out of all texts of a JSON document, such as a notebook.

    Parameters
    ----------
    node
        JSON types.
    values
        As :func:`collect_secrets` gives them.

    Returns
    -------
    Any
        A copy without the secrets; keys are redacted too. Lines of one text are looked at as one.
    """
    if not values:
        return node
    if isinstance(node, str):
        return redact(node, values)
    if isinstance(node, Mapping):
        return {redact(str(k), values): redact_document(v, values) for k, v in node.items()}
    if isinstance(node, list | tuple):
        if node and all(isinstance(item, str) for item in node):
            whole = "".join(node)
            clean = redact(whole, values)
            if clean != whole:
                return clean.splitlines(keepends=True)
        return [redact_document(item, values) for item in node]
    return node


def _list_forms(value: str) -> set[str]:
    """List the texts by which a secret may be written."""
    parts = {value, value.strip()}
    parts |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    forms: set[str] = set()
    for part in parts:
        forms |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
        forms |= {repr(part)[1:-1], html.escape(part), html.escape(part, quote=False)}
        forms |= {urllib.parse.quote(part), urllib.parse.quote(part, safe="")}
        forms |= {urllib.parse.quote_plus(part)}
    if len(value) >= _SHORTEST_LINE:
        raw = value.encode("utf-8", "surrogateescape")
        for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
            forms |= {encoded.decode(), encoded.decode().rstrip("=")}
    return {form for form in forms if len(form) >= _SHORTEST}
