"""What a user can say stands in the documentation."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

import mlops_nb
from mlops_nb import errors
from mlops_nb.cli.main import cli
from mlops_nb.config import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("reference/*.md"))
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("verb", mlops_nb.__all__)
def test_verbs_are_documented(verb: str) -> None:
    """Every public verb stands in the reference and has a docstring in numpydoc form."""
    assert f"`{verb}()`" in REFERENCE
    function = getattr(mlops_nb, verb)
    assert inspect.getdoc(function)


def test_commands_are_documented() -> None:
    """Every command of the command line stands in the reference."""
    import click

    names = cli.list_commands(click.Context(cli))
    assert len(names) > 10
    assert [name for name in names if f"`{name}" not in REFERENCE] == []


def test_settings_are_documented() -> None:
    """Every setting stands in the reference with its environment variable."""
    names = [entry.name for entry in fields(Settings)]
    missing = [name for name in names if f"`{name}`" not in REFERENCE]
    missing += [name for name in names if f"`MLOPS_NB_{name.upper()}`" not in REFERENCE]
    assert missing == []


def test_errors_are_documented() -> None:
    """Every error class stands in the reference."""
    names = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.MLOpsError)
    ]
    assert [name for name in names if f"`{name}`" not in REFERENCE] == []


def test_panel_is_documented() -> None:
    """Every setting of the panel, and every command that has a key or stands in a menu."""
    schema = json.loads((DOCS.parent / "labextension/schema/plugin.json").read_text())
    items = [item for menu in schema["jupyter.lab.menus"]["main"] for item in menu["items"]]
    items += schema["jupyter.lab.shortcuts"]
    names = {item["command"] for item in items if "command" in item}
    names |= {*schema["properties"], *schema["properties"]["sections"]["properties"]}
    assert [name for name in sorted(names) if f"`{name}`" not in REFERENCE] == []


@pytest.mark.parametrize(
    "page", [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
