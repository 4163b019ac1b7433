"""The main job on real data: notebook, runs, registry, pipeline, script and served model agree.

Everything happens in the folder ``demo-output``, through the same commands a person would type. The
script fails when notebook, pipeline and exported script do not reach the same figures to the last
digit.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "demo-output"
NOTEBOOK = "01_first_model.ipynb"
EXECUTED = "01_first_model.executed.ipynb"
TEST_SIZE = "0.3"
CLASSES = {
    "logistic": "LogisticRegression",
    "forest": "RandomForestClassifier",
    "boosting": "HistGradientBoostingClassifier",
}
METRICS = ("accuracy", "roc_auc")
Figures = dict[tuple[str, str], float]


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


class Stage:
    """Prints what is done, and how long it took."""

    def __init__(self, title: str) -> None:
        self.title, self.started = title, time.perf_counter()
        say(f"\n{title}")

    def done(self, text: str) -> None:
        """Say what came of it."""
        say(f"  {text}  [{time.perf_counter() - self.started:.1f} s]")


def call(*arguments: str) -> str:
    """Run a command of ours in the demo's folder and give what it printed."""
    command = [sys.executable, "-m", "mlops_nb", *arguments]
    say(f"  $ mlops-nb {' '.join(arguments)}")
    done = subprocess.run(command, cwd=OUT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def read_runs(run_filter: str) -> list[dict[str, Any]]:
    """Give the runs that a filter keeps."""
    command = [
        sys.executable,
        "-m",
        "mlops_nb",
        "runs",
        "--json",
        "--limit",
        "100",
        "--filter",
        run_filter,
    ]
    done = subprocess.run(command, cwd=OUT, capture_output=True, text=True, check=True)
    runs: list[dict[str, Any]] = json.loads(done.stdout)
    return runs


def collect(runs: list[dict[str, Any]]) -> Figures:
    """Give the metrics of the three models' runs."""
    by_class = {run["name"]: run["metrics"] for run in runs}
    return {
        (model, metric): by_class[name][metric]
        for model, name in CLASSES.items()
        for metric in METRICS
    }


def run_notebook() -> Figures:
    """Run the notebook from top to bottom, as Restart-and-Run-All does."""
    stage = Stage("1. Run the notebook from top to bottom; it logs itself")
    command = ["papermill", "--engine", "mlops", "--no-progress-bar", NOTEBOOK, EXECUTED]
    command += ["-p", "test_size", TEST_SIZE]
    say(f"  $ {' '.join(command)}")
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=OUT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    runs = read_runs("tags.`mlops.source` = 'autolog'")
    datasets = {data["fingerprint"][:12] for run in runs for data in run["datasets"]}
    stage.done(f"{len(runs)} runs recorded, on {len(datasets)} data sets, in .mlops")
    say("  the last cell registered the best model: breast-cancer@champion")
    return collect(runs)


def run_pipeline() -> Figures:
    """Run the same notebook step by step through papermill."""
    stage = Stage("2. Run its tagged cells as a pipeline, one executed notebook a step")
    text = call("run", NOTEBOOK, "-p", f"test_size={TEST_SIZE}", "-o", "steps", "--json")
    result = json.loads(text)
    for step in result["steps"]:
        name, status = f"{step['name']:<10}", f"{step['status']:<10}"
        say(f"    {name} {status} {step['duration_s']:5.1f} s  {step['notebook']}")
    stage.done(f"pipeline {result['status']}")
    return collect(read_runs(f"parent_run_id = '{result['run_id']}'"))


SCRIPT_RUNNER = """
import json, runpy, sys
sys.argv = ["train.py", "--test-size", sys.argv[1]]
space = runpy.run_path("train.py", run_name="__main__")
table = space["results"][["accuracy", "roc_auc"]].to_dict("index")
print("FIGURES " + json.dumps(table))
"""


def run_script() -> Figures:
    """Export the notebook as a script and run it with plain Python."""
    stage = Stage("3. Export it as a script that needs neither a notebook nor mlops_nb")
    call("export", NOTEBOOK, "--to", "script", "-o", "train.py")
    say(f"  $ python train.py --test-size {TEST_SIZE}")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT_RUNNER, TEST_SIZE],
        cwd=OUT, capture_output=True, text=True, check=False,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    line = next(line for line in done.stdout.splitlines() if line.startswith("FIGURES "))
    table = json.loads(line.removeprefix("FIGURES "))
    stage.done("script finished")
    return {(model, metric): table[model][metric] for model in CLASSES for metric in METRICS}


def compare(notebook: Figures, pipeline: Figures, script: Figures) -> None:
    """Show the figures side by side, and stop when any digit differs."""
    say("\nThe same figures, three ways:\n")
    say(f"  {'model':<10} {'metric':<9} {'notebook':<20} {'pipeline':<20} {'script':<20} same")
    different = 0
    for key, value in notebook.items():
        same = repr(value) == repr(pipeline[key]) == repr(script[key])
        different += not same
        columns = f"{value!r:<20} {pipeline[key]!r:<20} {script[key]!r:<20}"
        say(f"  {key[0]:<10} {key[1]:<9} {columns} {'yes' if same else 'NO'}")
    if different:
        sys.exit(f"\n{different} figures differ: the pipeline or the script changed the result.")


def post(url: str, body: object) -> tuple[int, dict[str, Any]]:
    """Send JSON and give status and answer."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def serve() -> None:
    """Serve the champion and ask it, rightly and wrongly."""
    stage = Stage("4. Serve the champion over HTTP")
    version = json.loads(call("model", "breast-cancer@champion", "--json"))
    names = [field["name"] for field in version["signature"]["inputs"]]
    row = {field["name"]: field["minimum"] for field in version["signature"]["inputs"]}
    command = [sys.executable, "-m", "mlops_nb", "serve", "breast-cancer@champion", "--port", "0"]
    say(f"  $ mlops-nb {' '.join(command[3:])}")
    with subprocess.Popen(command, cwd=OUT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = next(
                word
                for line in server.stdout
                for word in line.split()
                if word.startswith("http://")
            )
            status, answer = post(f"{url}/predict", {"inputs": [row]})
            say(f"  one row, {len(names)} columns   -> {status} {answer['predictions']}")
            status, answer = post(f"{url}/predict", {"inputs": [{**row, names[0]: "large"}]})
            say(f"  a word for a number -> {status} {answer['message']}")
            if status != 422:
                sys.exit("a wrong body was not refused")
        finally:
            server.terminate()
    stage.done("served, and stopped")


def main() -> None:
    """Do the main job from end to end."""
    started = time.perf_counter()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    shutil.copy(HERE / NOTEBOOK, OUT)
    for name in [name for name in os.environ if name.startswith("MLOPS_NB_")]:
        del os.environ[name]
    os.environ["MLOPS_NB_STORE"] = str(OUT / ".mlops")
    say(f"mlops_nb on real data, in {OUT}")
    notebook, pipeline, script = run_notebook(), run_pipeline(), run_script()
    compare(notebook, pipeline, script)
    serve()
    say(f"\nDone in {time.perf_counter() - started:.0f} s. What was made, in {OUT.name}/:")
    say("  .mlops/                          runs, data, environment, code, models")
    say("  01_first_model.executed.ipynb    the notebook with its outputs")
    say("  steps/                           one executed notebook a step")
    say("  train.py                         the script")
    say("\nThree things to try next:")
    say(f"  cd {OUT.name} && ../.venv/bin/mlops-nb runs --order-by 'metrics.roc_auc DESC'")
    say(f"  cd {OUT.name} && ../.venv/bin/mlops-nb show RandomForestClassifier")
    say("  make lab      # the same in JupyterLab: open 01_first_model.ipynb, then the MLOps panel")


if __name__ == "__main__":
    main()
