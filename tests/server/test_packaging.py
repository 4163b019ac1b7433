"""How the panel gets into the wheel, and that an installation never fails for it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LABEXTENSION = ROOT / "labextension"
BUNDLE = ROOT / "mlops_nb" / "labextension"
PANEL_PLACE = "data/share/jupyter/labextensions/mlops-nb-labextension/"


def need_bundle() -> None:
    """Skip where the panel is not built, which CI must have done."""
    if not (BUNDLE / "static" / "style.js").is_file():
        if os.environ.get("CI"):
            pytest.fail("the panel is not built")
        pytest.skip("the panel is not built; run: python labextension/build.py")


def load_builder(folder: Path) -> ModuleType:
    """Load ``labextension/build.py`` of a checkout."""
    spec = importlib.util.spec_from_file_location("panel_build", folder / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copy_checkout(place: Path, *, with_bundle: bool) -> Path:
    """Copy what a build reads, with or without the built panel."""
    place.mkdir()
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, place)
    (place / "README.md").write_text("# Not what this is about\n")
    skipped = ["node_modules", "lib", "__pycache__", "*.tsbuildinfo"]
    shutil.copytree(LABEXTENSION, place / "labextension", ignore=shutil.ignore_patterns(*skipped))
    skipped += [] if with_bundle else ["labextension"]
    shutil.copytree(ROOT / "mlops_nb", place / "mlops_nb", ignore=shutil.ignore_patterns(*skipped))
    return place


def build_wheel(checkout: Path, out: Path) -> tuple[str, list[zipfile.ZipInfo]]:
    """Build a wheel with no Node in reach; return what was said and what is inside."""
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(out),
        ".",
    ]
    environment = {**os.environ, "PATH": str(out)}
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return done.stdout + done.stderr, archive.infolist()


def test_wheel_without_node_and_bundle_has_all_but_the_panel(tmp_path: Path) -> None:
    """Without Node the wheel is built, and the build says what is missing and how to get it."""
    checkout = copy_checkout(tmp_path / "checkout", with_bundle=False)
    said, files = build_wheel(checkout, tmp_path / "out")
    names = [entry.filename for entry in files]
    assert "Node.js was not found" in said
    assert "install mlops-nb again" in said
    assert not [name for name in names if PANEL_PLACE in name]
    assert any(name.endswith("etc/jupyter/jupyter_server_config.d/mlops_nb.json") for name in names)
    assert "mlops_nb/server/routes.py" in names
    assert "mlops_nb/notebook/templates/automl.ipynb" in names


def test_wheel_carries_the_built_panel(tmp_path: Path) -> None:
    """A built panel goes into the wheel without Node, where JupyterLab finds it, once, and small."""
    need_bundle()
    checkout = copy_checkout(tmp_path / "checkout", with_bundle=True)
    _, files = build_wheel(checkout, tmp_path / "out")
    panel = [entry for entry in files if PANEL_PLACE in entry.filename]
    names = {entry.filename.split(PANEL_PLACE)[1] for entry in panel}
    assert {"package.json", "install.json", "static/style.js"} <= names
    assert not [
        entry.filename for entry in files if entry.filename.startswith("mlops_nb/labextension")
    ]
    assert sum(entry.compress_size for entry in panel) < 110_000


def test_bundle_is_small() -> None:
    """All scripts of the panel together weigh less than 150 kB compressed."""
    need_bundle()
    scripts = [path.read_bytes() for path in (BUNDLE / "static").glob("*.js")]
    assert scripts
    assert sum(len(gzip.compress(script)) for script in scripts) < 150_000


def test_bundle_is_built_from_these_sources() -> None:
    """What the browser tests look at is what the sources say."""
    need_bundle()
    assert load_builder(LABEXTENSION).is_fresh(), "run: python labextension/build.py"


def test_only_sources_that_matter_ask_for_a_new_build(tmp_path: Path) -> None:
    """A changed test or line end is no reason to build again, a changed source is."""
    checkout = copy_checkout(tmp_path / "checkout", with_bundle=False)
    folder = checkout / "labextension"
    builder = load_builder(folder)
    before = builder.hash_sources()
    (folder / "src" / "__tests__" / "new.spec.ts").write_text("export {};")
    source = folder / "src" / "index.ts"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert builder.hash_sources() == before
    source.write_bytes(source.read_bytes() + b"// changed\n")
    assert builder.hash_sources() != before


def test_build_script_without_node_says_so_and_succeeds(tmp_path: Path) -> None:
    """Set-up on a machine without Node goes on, in one line."""
    checkout = copy_checkout(tmp_path / "checkout", with_bundle=False)
    done = subprocess.run(
        [sys.executable, str(checkout / "labextension" / "build.py")],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert "Node.js was not found; everything but the panel works" in done.stdout


def test_lock_names_no_registry() -> None:
    """The lock says which packages, never where somebody's npm fetched them."""
    lock = json.loads((LABEXTENSION / "package-lock.json").read_text())
    assert lock["version"] == json.loads((LABEXTENSION / "package.json").read_text())["version"]
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
