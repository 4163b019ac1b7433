"""An untagged messy notebook on its whole way: proposed tags, runs, proof, kill, sweep, Dask, script."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.clusters import running_cluster

ROOT = Path(__file__).resolve().parents[2]
MESSY = ROOT / "example_notebooks" / "messy.ipynb"
STEPS = [
    "load", "have_a_look", "clean_up", "features", "baselines_sklearn", "small_network_torch", "compare",
    "write_it_down",
]  # fmt: skip
RESULTS = {"logistic": 0.9733, "forest": 0.9644, "net": 0.9756}
is_slow = pytest.mark.skipif("MLOPS_NB_SLOW" not in os.environ, reason="it takes minutes")


class Project:
    """A folder with the notebook, and the command line as a person uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "pyproject.toml").touch()
        self.notebook = Path(shutil.copy(MESSY, folder))
        own = {name: value for name, value in os.environ.items() if name[:9] != "MLOPS_NB_"}
        self.environment = own | {
            "PYTHONPATH": str(ROOT),
            "MLOPS_NB_CACHE": str(folder / "cache"),
            "NO_COLOR": "1",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "mlops_nb", *words],
            cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, *words: str) -> str:
        """Run a command that must succeed, and give what it prints."""
        process = self.start(*words)
        out, err = process.communicate(timeout=900)
        assert process.returncode == 0, f"{out}\n{err}"
        return out

    def run(self, *words: str) -> dict[str, Any]:
        """Run the notebook."""
        found: dict[str, Any] = json.loads(self.ask("run", "messy.ipynb", *words, "--json"))
        return found

    def read_summary(self) -> dict[str, float]:
        """Give the figures that the notebook itself has written."""
        text = (self.folder / "work" / "summary.json").read_text(encoding="utf-8")
        found: dict[str, float] = json.loads(text)["results"]
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project with the notebook as its author left it."""
    return Project(tmp_path / "project")


def test_messy_notebook_gets_good_tags(project: Project) -> None:
    """More than sixty cells become eight steps, with parameters; the plan stands, and it is tagged."""
    assert len(json.loads(MESSY.read_text(encoding="utf-8"))["cells"]) > 60
    found = json.loads(project.ask("suggest", "messy.ipynb", "--write", "--json"))
    tags = [each["tag"] for each in found]
    assert tags == ["imports", "imports", "parameters", *(f"step:{name}" for name in STEPS)]
    reasons = {each["tag"]: each["reason"] for each in found}
    assert reasons["step:features"] == "section '4. Features': 7 cells; df crosses"
    told = json.loads(project.ask("run", "messy.ipynb", "--help-notebook", "--json"))
    names = [each["name"] for each in (told if isinstance(told, list) else told["parameters"])]
    assert names == ["SEED", "test_share", "hidden", "lr", "epochs", "n_trees", "OUT"]


def test_messy_notebook_runs(project: Project) -> None:
    """Its first steps run as tagged: what crosses is there, and commands that look are kept."""
    project.ask("suggest", "messy.ipynb", "--write")
    result = project.run("--no-verify", "--to", "features")
    statuses = {step["name"]: step["status"] for step in result["steps"]}
    assert [name for name, status in statuses.items() if status == "succeeded"] == STEPS[:4]
    assert (project.folder / "work" / "clean.csv").exists()


@is_slow
@pytest.mark.timeout(1800)
def test_messy_notebook_goes_the_whole_way(project: Project, tmp_path: Path) -> None:
    """Runs and is verified; goes on after kill -9; sweeps; runs on Dask; exports to the same figures."""
    project.ask("suggest", "messy.ipynb", "--write")
    kill_in_the_middle(project)
    result = project.run()
    assert [step["name"] for step in result["steps"]] == STEPS
    cached = [step["name"] for step in result["steps"] if step["cached"]]
    assert cached[:2] == ["load", "have_a_look"]
    assert result["verification"]["status"] == "verified", result["verification"]
    assert project.read_summary() == RESULTS
    assert "finished, verified" in project.ask("runs")

    sweep_it(project)

    with running_cluster(tmp_path / "cluster") as cluster:
        cluster.add_worker("a")
        cluster.add_worker("b")
        shutil.rmtree(project.folder / "work")
        dask = ("--executor", "dask", "--scheduler", cluster.address)
        result = project.run(*dask, "--force-all", "--no-verify")
    assert result["status"] == "finished"
    assert project.read_summary() == RESULTS

    project.ask("export", "messy.ipynb", "-o", "messy_script.py")
    shutil.rmtree(project.folder / "work")
    done = subprocess.run(
        [sys.executable, "messy_script.py"],
        cwd=project.folder, env=project.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.findall(r"^(logistic|forest) +(0\.\d+)$", done.stdout, re.MULTILINE) == [
        ("logistic", "0.9733"),
        ("forest", "0.9644"),
    ]
    assert project.read_summary() == RESULTS


def kill_in_the_middle(project: Project) -> None:
    """Kill a run once three steps have ended, the third maybe before it was kept."""
    process = project.start("run", "messy.ipynb")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[3/8]"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=240)
    time.sleep(1)  # its kernels end meanwhile, which other tests prove


def sweep_it(project: Project) -> None:
    """Try four networks: what the swept values do not reach is executed once."""
    document = json.loads(project.notebook.read_text(encoding="utf-8"))
    source = "import mlops_nb\nmlops_nb.log_metric('net_accuracy', results['net'])"
    document["cells"].append({**document["cells"][-1], "id": "measure", "source": source})
    project.notebook.write_text(json.dumps(document), encoding="utf-8")
    words = ("sweep", "messy.ipynb", "hidden=16,32", "lr=0.003,0.01", "--sampler", "grid")
    found = json.loads(project.ask(*words, "--maximize", "net_accuracy", "--json"))
    assert found["counts"]["finished"] == 4
    best = [trial for trial in found["trials"] if trial["params"] == {"hidden": 32, "lr": 0.01}]
    assert round(best[0]["value"], 4) == RESULTS["net"]
    run = json.loads(project.ask("show", found["trials"][-1]["run_id"], "--json"))
    cached = [name for name, value in run["tags"].items() if value == "cached"]
    assert {"step.have_a_look", "step.clean_up", "step.features"} <= set(cached)
