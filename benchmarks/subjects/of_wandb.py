"""The operations with W&B offline; nothing of it reads an offline run back."""

from __future__ import annotations

from operations import NOTHING, TEN, Clock, serve, tens


def import_it(count: int) -> tuple[float, float]:
    clock = Clock()
    if count:
        import wandb

        wandb.init  # noqa: B018 - as for the others
    return clock.read()


def start(count: int) -> tuple[float, float]:
    import wandb

    wandb.init(project="p").finish()
    clock = Clock()
    for _ in range(count):
        wandb.init(project="p").finish()
    return clock.read()


def _log(values: dict[str, float], count: int) -> tuple[float, float]:
    import wandb

    run = wandb.init(project="p")
    run.log(values)
    clock = Clock()
    for _ in range(count):
        run.log(values)
    clock.stop()
    run.finish()  # a service of its own writes what was logged
    return clock.read()


def metric(count: int) -> tuple[float, float]:
    return _log({"a": 0.5}, count)


def ten(count: int) -> tuple[float, float]:
    return _log(TEN, count)


def points(count: int) -> tuple[float, float]:
    import wandb

    with wandb.init(project="p") as run:
        run.log(TEN)
        for _, values in tens(count):
            run.log(values)
    return NOTHING


if __name__ == "__main__":
    serve({"import": import_it, "start": start, "metric": metric, "ten": ten, "points": points})
