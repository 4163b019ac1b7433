"""The operations with DVCLive in a repository of git and DVC; a step ends with ``next_step``."""

from __future__ import annotations

from operations import NOTHING, TEN, Clock, series, serve, tens


def import_it(count: int) -> tuple[float, float]:
    clock = Clock()
    if count:
        from dvclive import Live

        Live.log_metric  # noqa: B018 - as for the others
    return clock.read()


def start(count: int) -> tuple[float, float]:
    from dvclive import Live

    with Live():
        pass
    clock = Clock()
    for _ in range(count):
        with Live():
            pass
    return clock.read()


def _log(values: dict[str, float], count: int) -> tuple[float, float]:
    from dvclive import Live

    with Live() as live:
        clock = Clock()
        for _ in range(count):
            for key, value in values.items():
                live.log_metric(key, value)
            live.next_step()
        return clock.read()


def metric(count: int) -> tuple[float, float]:
    return _log({"a": 0.5}, count)


def ten(count: int) -> tuple[float, float]:
    return _log(TEN, count)


def points(count: int) -> tuple[float, float]:
    from dvclive import Live

    with Live() as live:
        for _, values in tens(count):
            for key, value in values.items():
                live.log_metric(key, value)
            live.next_step()
    return NOTHING


def write_series(_: int) -> tuple[float, float]:
    from dvclive import Live

    with Live() as live:
        for step, value in series():
            live.step = step
            live.log_metric("loss", value)
    return NOTHING


def load(count: int) -> tuple[float, float]:
    """Read a series as DVCLive itself does."""
    from dvclive.utils import parse_tsv

    clock = Clock()
    for _ in range(count):
        assert len(parse_tsv("dvclive/plots/metrics/loss.tsv")) == 100_000
    return clock.read()


if __name__ == "__main__":
    serve(
        {
            "import": import_it, "start": start, "metric": metric, "ten": ten, "points": points,
            "write_series": write_series, "load": load,
        }
    )  # fmt: skip
