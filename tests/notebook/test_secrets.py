"""Secrets: referred to, never written down."""

import base64
import copy
import json
import urllib.parse
from typing import Any

import pytest

from mlops_nb.errors import ParameterError
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.giving import render_parameters, resolve_parameters
from mlops_nb.notebook.parameters import Parameter, parse_parameters
from mlops_nb.notebook.secrets import Secret, collect_secrets, redact, redact_document

VALUE = "s3cr3t'\"<\\é&/+ü"
ENVIRON = {"API_TOKEN": VALUE, "SHORT": "abc", "PEM": "-----BEGIN\nMIIEvAIBADAN\n-----END"}
DECLARED = (Parameter("token", "none"), Parameter("n", 1), Parameter("m", "a", "Literal['a']"))


def resolve(**given: Any) -> dict[str, Any]:
    """Resolve parameters in the environment above."""
    return resolve_parameters(DECLARED, given, ENVIRON)


def test_a_secret_stays_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record of the value says ``secret:NAME``; only running the source gives the value."""
    values = resolve(token="secret:API_TOKEN")
    token = values["token"]
    assert isinstance(token, Secret)
    assert str(token) == "secret:API_TOKEN"
    assert json.dumps(values) == '{"token": "secret:API_TOKEN", "n": 1, "m": "a"}'
    assert copy.deepcopy(token) == token
    source = render_parameters({"token": token})
    assert VALUE not in source
    monkeypatch.setenv("API_TOKEN", VALUE)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert namespace["token"] == VALUE
    read = parse_parameters(Cell(0, None, "code", source))[0].default  # an executed notebook
    assert isinstance(read, Secret)
    assert render_parameters({"token": read}) == source


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"token": "secret:API_TOKN"}, "Did you mean 'secret:API_TOKEN'"),
        ({"token": "secret:NOWHERE_AT_ALL"}, "export NOWHERE_AT_ALL="),
        ({"token": "secret:"}, "kept for secrets"),
        ({"token": "secret:a;b"}, "kept for secrets"),
        ({"token": "secret:SHORT"}, "at least 4 characters"),
        ({"n": "secret:API_TOKEN"}, "a secret is text"),
        ({"m": "secret:API_TOKEN"}, "a secret is text"),
    ],
)
def test_references_that_cannot_be_kept_are_refused(given: dict[str, str], found: str) -> None:
    """A missing variable or a parameter that takes no text ends with exit code 3."""
    with pytest.raises(ParameterError, match=found) as caught:
        resolve(**given)
    assert caught.value.exit_code == 3
    assert VALUE not in str(caught.value)


def test_redaction_finds_every_usual_form() -> None:
    """As it stands, escaped for JSON, Python, HTML or addresses, and in base 64."""
    values = collect_secrets(resolve(token="secret:API_TOKEN"), ENVIRON)
    assert values == {"secret:API_TOKEN": VALUE}
    for written in (
        VALUE,
        json.dumps(VALUE),
        json.dumps([VALUE], ensure_ascii=False),
        repr(VALUE),
        urllib.parse.quote(VALUE),
        urllib.parse.quote_plus(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
        "s3cr3t&#x27;&quot;&lt;\\é&amp;/+ü",
    ):
        clean = redact(f"before {written} after", values)
        assert "[secret:API_TOKEN]" in clean, written
        assert "s3cr3t" not in clean
        assert clean.startswith("before ")
        assert clean.endswith(" after")


def test_lines_of_a_key_are_redacted_alone_too() -> None:
    """A key of several lines is also taken out line by line."""
    values = {"secret:PEM": ENVIRON["PEM"]}
    assert redact("x MIIEvAIBADAN y", values) == "x [secret:PEM] y"
    assert redact(ENVIRON["PEM"], values) == "[secret:PEM]"


def test_documents_are_redacted_all_the_way_down() -> None:
    """Sources, outputs, metadata and keys; texts that are kept as lines are looked at as one."""
    values = {"secret:PEM": ENVIRON["PEM"], "secret:T": "token-1234"}
    node = {
        "cells": [
            {"source": ["a = 'token-\n", "x'"], "outputs": [{"text": ["-----BEGIN\n", "MIIEvA"]}]},
            {"text": ["-----BEGIN\n", "MIIEvAIBADAN\n", "-----END"], "token-1234": (1, None)},
        ]
    }
    clean = redact_document(node, values)
    assert clean["cells"][0]["source"] == ["a = 'token-\n", "x'"]
    assert clean["cells"][1] == {"text": ["[secret:PEM]"], "[secret:T]": [1, None]}
    assert redact_document(node, {}) is node
