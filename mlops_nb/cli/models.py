"""Commands about registered models: models, model, alias, serve."""

from __future__ import annotations

import click

from mlops_nb.cli.render import print_json, print_table
from mlops_nb.cli.runs import as_json, format_moment
from mlops_nb.errors import UsageError


@click.command()
@click.argument("name", required=False)
@as_json
def models(name: str | None, as_json: bool) -> None:
    """List registered models and their versions, or only those of NAME."""
    from mlops_nb import api

    versions = api.list_models()
    if name is not None:
        wanted = api.get_model(name).name  # an unknown name is an error with near misses
        versions = [version for version in versions if version.name == wanted]
    if as_json:
        print_json([version.to_json() for version in versions])
        return
    rows = [
        (
            version.name,
            version.version,
            ", ".join(version.aliases),
            version.model_class.rpartition(".")[2],
            version.flavor,
            version.size_bytes,
            (version.run_id or "")[-8:],
            format_moment(version.registered_at),
        )
        for version in versions
    ]
    columns = ("model", "version", "aliases", "class", "flavor", "bytes", "run", "registered (UTC)")
    empty = (
        f"No models in {api.get_status()['store']}.\n"
        "In a notebook, %mlops register MODEL --name NAME registers one."
    )
    print_table(columns, rows, empty=empty)


@click.command()
@click.argument("ref", metavar="MODEL")
@as_json
def model(ref: str, as_json: bool) -> None:
    """Show one version of a model.

    MODEL is name@alias, name/3, or name for the newest version.
    """
    from mlops_nb import api

    version = api.get_model(ref)
    if as_json:
        print_json(version.to_json())
        return
    facts = [
        ("aliases", ", ".join(version.aliases)),
        ("class", version.model_class),
        ("flavor", version.flavor),
        ("bytes", version.size_bytes),
        ("digest", version.digest),
        ("run", version.run_id),
        ("environment", version.environment),
        ("registered (UTC)", format_moment(version.registered_at)),
        ("by", version.user),
    ]
    print_table((f"{version.name}/{version.version}", ""), [row for row in facts if row[1]])
    if version.signature is not None:
        click.echo()
        fields = [("input", field.name, field.dtype) for field in version.signature.inputs]
        fields += [("output", field.name, field.dtype) for field in version.signature.outputs]
        print_table(("", "name", "type"), fields)


@click.command()
@click.argument("name")
@click.argument("alias")
@click.argument("version", type=click.IntRange(min=1), required=False)
@click.option("--delete", "is_gone", is_flag=True, help="Take the alias away.")
@click.option("--reason", help="Why; it stands in the log of changes.")
@as_json
def alias(
    name: str, alias: str, version: int | None, is_gone: bool, reason: str | None, as_json: bool
) -> None:
    """Point ALIAS of the model NAME at VERSION, or take it away with --delete."""
    from mlops_nb import api

    if is_gone == (version is not None):
        problem = "a version and --delete" if is_gone else "neither a version nor --delete"
        raise UsageError("mlops-nb alias", f"{problem} given; expected one of them")
    if version is None:
        moved = api.delete_alias(name, alias, reason)
    else:
        moved = api.set_alias(name, alias, version, reason)
    if as_json:
        print_json(moved.to_json())
    elif version is None:
        click.echo(f"{name}@{alias} is gone; it was version {moved.version}")
    else:
        click.echo(f"{name}@{alias} is now version {version}")


@click.command()
@click.argument("ref", metavar="MODEL")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: a free one."
)
@click.option(
    "--token",
    envvar="MLOPS_NB_TOKEN",
    help="Asked of every request (also MLOPS_NB_TOKEN); needed beyond this machine.",
)
@as_json
def serve(ref: str, host: str, port: int, token: str | None, as_json: bool) -> None:
    """Serve a registered model over HTTP until interrupted.

    MODEL is name@alias, name/3, or name for the newest version.
    """
    from mlops_nb import api

    def announce(url: str) -> None:
        if as_json:
            print_json({"model": ref, "url": url})
        else:
            click.echo(f"serving {ref} at {url} (stop with Ctrl-C)")

    api.serve_model(ref, host=host, port=port, token=token, on_ready=announce)


COMMANDS = {"models": models, "model": model, "alias": alias, "serve": serve}
