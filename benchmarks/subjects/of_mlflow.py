"""The operations with MLflow on its default store, SQLite."""

from __future__ import annotations

from operations import NOTHING, PAGE, PIXELS, TEN, Clock, runs, series, serve, tens

FILTER = "metrics.m1 > 0.5 and params.model = 'rf'"


def import_it(count: int) -> tuple[float, float]:
    clock = Clock()
    if count:
        import mlflow

        mlflow.start_run  # noqa: B018 - as for the others
    return clock.read()


def start(count: int) -> tuple[float, float]:
    import mlflow

    with mlflow.start_run():
        pass
    clock = Clock()
    for _ in range(count):
        with mlflow.start_run():
            pass
    return clock.read()


def metric(count: int) -> tuple[float, float]:
    import mlflow

    with mlflow.start_run():
        mlflow.log_metric("a", 1.0, 0)
        clock = Clock()
        for step in range(count):
            mlflow.log_metric("a", 0.5, step)
        return clock.read()


def ten(count: int) -> tuple[float, float]:
    import mlflow

    with mlflow.start_run():
        mlflow.log_metrics(TEN, 0)
        clock = Clock()
        for step in range(count):
            mlflow.log_metrics(TEN, step)
        return clock.read()


def points(count: int) -> tuple[float, float]:
    import mlflow

    with mlflow.start_run():
        mlflow.log_metrics(TEN, 0)
        for step, values in tens(count):
            mlflow.log_metrics(values, step)
    return NOTHING


def write_series(_: int) -> tuple[float, float]:
    import mlflow
    from mlflow.entities import Metric

    with mlflow.start_run(run_name="long") as run:
        client, batch = mlflow.MlflowClient(), []
        for step, value in series():
            batch.append(Metric("loss", value, 1_790_000_000_000 + step, step))
            if len(batch) == 1000:
                client.log_batch(run.info.run_id, metrics=batch)
                batch = []
    return NOTHING


def load(count: int) -> tuple[float, float]:
    import mlflow

    client = mlflow.MlflowClient()
    run_id = client.search_runs(["0"])[0].info.run_id
    clock = Clock()
    for _ in range(count):
        assert len(client.get_metric_history(run_id, "loss")) == 100_000
    return clock.read()


def preview(count: int) -> tuple[float, float]:
    """Ask the store for what its web page draws."""
    import mlflow

    client = mlflow.MlflowClient()
    run_id = client.search_runs(["0"])[0].info.run_id
    store = client._tracking_client.store  # noqa: SLF001 - its web page asks it by HTTP
    clock = Clock()
    for _ in range(count):
        store.get_metric_history_bulk_interval([run_id], "loss", PIXELS, None, None)
    return clock.read()


def write_runs(_: int) -> tuple[float, float]:
    import mlflow
    from mlflow.entities import Metric, Param

    client = mlflow.MlflowClient()
    for name, metrics, params in runs():
        run_id = client.create_run("0", run_name=name).info.run_id
        client.log_batch(
            run_id,
            metrics=[Metric(key, value, 1_790_000_000_000, 0) for key, value in metrics.items()],
            params=[Param(key, str(value)) for key, value in params.items()],
        )
        client.set_terminated(run_id)
    return NOTHING


def newest(count: int) -> tuple[float, float]:
    import mlflow

    client = mlflow.MlflowClient()
    client.search_runs(["0"], max_results=1)
    clock = Clock()
    for _ in range(count):
        assert len(client.search_runs(["0"], max_results=PAGE)) == PAGE
    return clock.read()


def page(count: int) -> tuple[float, float]:
    import mlflow

    client = mlflow.MlflowClient()
    client.search_runs(["0"], max_results=1)
    clock = Clock()
    for _ in range(count):
        found = client.search_runs(["0"], FILTER, max_results=PAGE, order_by=["metrics.acc DESC"])
        assert len(found) == PAGE
    return clock.read()


if __name__ == "__main__":
    serve(
        {
            "import": import_it, "start": start, "metric": metric, "ten": ten, "points": points,
            "write_series": write_series, "load": load, "preview": preview,
            "write_runs": write_runs, "newest": newest, "page": page,
        }
    )  # fmt: skip
