"""What the pipelines of the comparison compute: the same steps for every way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step: its source, and the names that it leaves to those below."""

    name: str
    source: str
    makes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """What every way has to do."""

    imports: str
    steps: tuple[Step, ...]


FIVE = Work(
    "import json\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    (
        Step("load", "frame = pd.read_csv('data.csv')", ("frame",)),
        Step("prepare", "frame['c'] = frame.a * frame.b\nframe = frame.dropna()", ("frame",)),
        Step(
            "train", "model = LogisticRegression().fit(frame[['a', 'b', 'c']], frame.y)", ("model",)
        ),
        Step(
            "score",
            "acc = float(model.score(frame[['a', 'b', 'c']], frame.y))\nprint(acc)",
            ("acc",),
        ),
        Step("report", "with open('report.json', 'w') as file:\n    json.dump({'acc': acc}, file)"),
    ),
)
EIGHT = Work(
    "import pandas as pd\nimport sklearn.ensemble\nimport torch",
    (
        Step("s1", "x = torch.arange(1000.0)\nframe = pd.DataFrame({'a': [1]})", ("x", "frame")),
        *(Step(f"s{n}", "x = x + len(frame)\nprint(float(x[0]))", ("x",)) for n in range(2, 9)),
    ),
)
_KINDS = (
    "def clean_{n}(frame, limit={n}):\n    kept = frame[frame['a'] > limit]\n    return kept.assign(b=kept['a'] * 2)",
    "table_{n} = clean_{before}(table).merge(other, on='k', how='left')\ntable_{n}['r'] = [f'{{x:.2f}}' for x in table_{n}['a']]",
    "totals_{n} = {{}}\nfor key, group in table_{before}.groupby('k'):\n    if key in totals_{n}:\n        continue\n    totals_{n}[key] = group['a'].sum()",
    "figure, axes = plt.subplots()\naxes.plot(sorted(totals_{before}.values()))\naxes.set_title('cell {n}')\nplt.show()",
    "try:\n    rows = json.loads(Path('x{n}.json').read_text())\nexcept OSError:\n    rows = []\nwith open('log.txt', 'a') as log:\n    print(len(rows), file=log)",
)


def list_cells(count: int) -> list[tuple[str, str]]:
    """Write cells of several kinds, a tenth of which begin a step; one uses IPython's own syntax."""
    cells = [
        ("import json\nfrom pathlib import Path\nimport pandas as pd\nimport matplotlib.pyplot as plt", "imports"),
        ("%matplotlib inline\ntable = pd.DataFrame({'k': [1], 'a': [2]}); other = table.copy()", "step:p0"),
    ]  # fmt: skip
    for n in range(count - len(cells)):
        source = _KINDS[n % 5].format(n=n, before=n - 1)
        cells.append((source, f"step:p{n // 10 + 1}" if n % 10 == 0 else ""))
    return cells
