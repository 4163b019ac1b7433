"""The command that copies a notebook out of this package: new."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_nb.cli.render import print_json
from mlops_nb.cli.runs import as_json


@click.command()
@click.argument("template", required=False)
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@as_json
def new(template: str | None, path: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write a notebook from TEMPLATE to PATH; without any, list the templates."""
    from mlops_nb import api

    if template is None:
        known = api.list_templates()
        if as_json:
            print_json(known)
        else:
            click.echo("\n".join(known))
        return
    written = api.copy_template(template, path, overwrite=overwrite)
    if as_json:
        print_json({"path": str(written), "template": template})
    else:
        click.echo(f"wrote {written}")


COMMANDS = {"new": new}
