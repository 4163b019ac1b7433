"""Addresses and queries as they may be written down: without what could let somebody in."""

from __future__ import annotations

import re
from urllib.parse import unquote

HIDDEN = "***"
LONGEST = 2000
# As texts: Python compiles them when they are first needed, which few sessions do.
_URL = r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`]+"
_SENSITIVE = (
    r"(?i)pass(?:word|wd|phrase)?|pwd|secret|token|credential|auth|sig(?:nature)?|session|jwt|code"
    r"|key|uid|user(?:name)?|login"
)
_PLAIN_VALUE = r"[A-Za-z]{0,24}|[\d.,:+-]{0,24}|[\w.,:+-]{0,12}"
_HEX = r"[0-9a-f]{7,64}"
# PASSWORD 'x', password = 'x', IDENTIFIED BY 'x', SECRET_ACCESS_KEY='x', Pwd=x;
_IN_TEXT = (
    r"(?i)\b(identified\s+by(?:\s+password)?|[\w-]*(?:pass(?:word|wd|phrase)?|pwd|secret|token"
    r"|credentials?|api[_-]?key|access[_-]?key|account[_-]?key|key_id|private[_-]?key)[\w-]*)"
    r"(\s*(?::=|[=:])?\s*)('(?:[^']|'')*'|\"[^\"]*\"|(?<=[=:])[^\s;,)'\"]+)"
)


def is_address(text: str) -> bool:
    """Tell whether a text is an address rather than a path."""
    scheme, separator, _ = text.partition("://")
    return (
        bool(separator) and scheme.replace("+", "").replace(".", "").isalnum() and len(scheme) > 1
    )


def redact_address(url: str) -> str:
    """Give an address without user, password, fragment and secret values.

    Parameters
    ----------
    url
        With a scheme: ``https://...``, ``s3://...``, ``postgresql+psycopg://...``.

    Returns
    -------
    str
        Values in the query are kept where they are short and their name tells of no secret; the
        names always are. Parts of the path that look like tokens are hidden too.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return redact_text(url)
    rest = rest.partition("#")[0]
    rest, mark, query = rest.partition("?")
    host, slash, path = rest.partition("/")
    if "@" in path and ":" in host:
        # A password with a slash in it: what stands before the last "@" is no host.
        host, slash, path = "", "/", path.rpartition("@")[2].partition("/")[2]
    host = host.rpartition("@")[2]
    path = "/".join(HIDDEN if _is_token(part) else part for part in path.split("/"))
    pairs = "&".join(_redact_pair(pair) for pair in re.split("[&;]", query)) if mark else ""
    return f"{scheme}://{host}{slash}{path}{mark}{pairs}"[:LONGEST]


def _redact_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return name if re.fullmatch(_PLAIN_VALUE, unquote(name)) else HIDDEN
    is_plain = re.fullmatch(_PLAIN_VALUE, unquote(value)) and not re.search(
        _SENSITIVE, unquote(name)
    )
    return f"{name}={value if is_plain else HIDDEN}"


def _is_token(part: str) -> bool:
    part = unquote(part)
    if "@" in part and ":" in part.partition("@")[0]:
        return True
    stem = part.rpartition(".")[0] or part
    if re.fullmatch(_HEX, stem):
        return False  # a commit or a digest names data
    pieces = re.split(r"[-_.~:]", stem)
    return any(
        len(piece) >= 16 and re.search(r"\d", piece) and re.search("[A-Za-z]", piece)
        for piece in pieces
        if not re.fullmatch(_HEX, piece)
    ) or (len(stem) >= 32 and bool(re.search(r"\d", stem)) and bool(re.search("[A-Z]", stem)))


def redact_text(text: str) -> str:
    """Give a query or a connection string without passwords.

    Parameters
    ----------
    text
        SQL, or ``name=value`` pairs of a connection.

    Returns
    -------
    str
        At most 2,000 characters; values that follow words such as ``password`` or ``secret``
        and secrets of addresses inside are hidden.
    """
    text = text[: 4 * LONGEST]
    text = re.sub(_URL, lambda found: redact_address(found[0]), text)
    text = re.sub(_IN_TEXT, lambda found: f"{found[1]}{found[2]}'{HIDDEN}'", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
