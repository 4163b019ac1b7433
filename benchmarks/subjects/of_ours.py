"""The operations with mlops_nb, by its public verbs."""

from __future__ import annotations

from operations import NOTHING, PAGE, PIXELS, TEN, Clock, runs, series, serve, tens

FILTER = "metrics.m1 > 0.5 and params.model = 'rf'"


def import_it(count: int) -> tuple[float, float]:
    clock = Clock()
    if count:
        import mlops_nb

        mlops_nb.start_run  # noqa: B018 - the verbs load when first named
    return clock.read()


def extension(count: int) -> tuple[float, float]:
    """Load the extension into a shell, where what a kernel needs is there already."""
    import ipykernel.kernelapp  # noqa: F401
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell("1")
    clock = Clock()
    if count:
        shell.run_line_magic("load_ext", "mlops_nb")
    return clock.read()


def start(count: int) -> tuple[float, float]:
    import mlops_nb

    with mlops_nb.start_run():
        pass
    clock = Clock()
    for _ in range(count):
        with mlops_nb.start_run():
            pass
    return clock.read()


def metric(count: int) -> tuple[float, float]:
    import mlops_nb

    with mlops_nb.start_run():
        mlops_nb.log_metric("a", 1.0, 0)
        clock = Clock()
        for step in range(count):
            mlops_nb.log_metric("a", 0.5, step)
        return clock.read()


def ten(count: int) -> tuple[float, float]:
    import mlops_nb

    with mlops_nb.start_run():
        mlops_nb.log_metrics(TEN, 0)
        clock = Clock()
        for step in range(count):
            mlops_nb.log_metrics(TEN, step)
        return clock.read()


def points(count: int) -> tuple[float, float]:
    import mlops_nb

    with mlops_nb.start_run():
        mlops_nb.log_metrics(TEN, 0)
        for step, values in tens(count):
            mlops_nb.log_metrics(values, step)
    return NOTHING


def rest(_: int) -> tuple[float, float]:
    """Store the points of runs that are at rest as chunks."""
    from mlops_nb.api.places import get_store

    clock = Clock()
    get_store().compact()
    return clock.read()


def write_series(_: int) -> tuple[float, float]:
    import mlops_nb

    with mlops_nb.start_run("long"):
        for step, value in series():
            mlops_nb.log_metric("loss", value, step)
    return NOTHING


def load(count: int) -> tuple[float, float]:
    import mlops_nb

    run_id = mlops_nb.list_runs()[0].run_id
    clock = Clock()
    for _ in range(count):
        assert len(mlops_nb.get_metric_series(run_id, "loss").values) == 100_000
    return clock.read()


def preview(count: int) -> tuple[float, float]:
    import mlops_nb

    run_id = mlops_nb.list_runs()[0].run_id
    clock = Clock()
    for _ in range(count):
        mlops_nb.preview_metric(run_id, "loss", PIXELS)
    return clock.read()


def write_runs(_: int) -> tuple[float, float]:
    import mlops_nb

    for name, metrics, params in runs():
        with mlops_nb.start_run(name):
            mlops_nb.log_params(params)
            mlops_nb.log_metrics(metrics, 0)
    return NOTHING


def newest(count: int) -> tuple[float, float]:
    import mlops_nb

    mlops_nb.list_runs(limit=1)
    clock = Clock()
    for _ in range(count):
        assert len(mlops_nb.list_runs(limit=PAGE)) == PAGE
    return clock.read()


def page(count: int) -> tuple[float, float]:
    import mlops_nb

    mlops_nb.list_runs(limit=1)
    clock = Clock()
    for _ in range(count):
        found = mlops_nb.list_runs(FILTER, ["metrics.acc DESC"], PAGE)
        assert len(found) == PAGE
    return clock.read()


def rebuild(count: int) -> tuple[float, float]:
    import mlops_nb

    clock = Clock()
    for _ in range(count):
        mlops_nb.rebuild_index()
    return clock.read()


if __name__ == "__main__":
    serve(
        {
            "import": import_it, "extension": extension, "start": start, "metric": metric,
            "ten": ten, "points": points, "rest": rest,
            "write_series": write_series, "load": load, "preview": preview,
            "write_runs": write_runs, "newest": newest, "page": page, "rebuild": rebuild,
        }
    )  # fmt: skip
