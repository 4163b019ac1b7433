"""Compiles notebooks by Kale's own command and runs the pipelines on this machine, without Kubernetes.

Needs Kale's environment and nothing of ours. It reads jobs as lines of JSON and answers each with
one. A job runs in a process of its own, which has Kale imported already. ``kfp.local`` runs each
step as the compiled pipeline says, in a process of its own. Three things are done to it here:

* the process of a step is forked with kfp and Kale imported; the kernel that runs the cells is new;
* a step finds the folder in which Kale keeps what crosses empty, as in a new container;
* pip is not asked for what is installed already. What is missing, pip looks for without any index.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import kale.cli
import kale.common.jputils
import kale.marshal
import kfp.local
from kfp import components
from kfp.dsl import executor_main
from kfp.local import subprocess_task_handler as handler
from packaging.requirements import Requirement

# Kale writes this into each step that it makes.
KEPT = Path("/tmp/marshal")
NAME = "pipeline"
PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h
_INSTALL = re.compile(r"\S+ -m pip install [^&]*?(?= && )")


def is_installed(requirement: str) -> bool:
    """Whether pip would find nothing to do."""
    wanted = Requirement(requirement)
    try:
        return wanted.specifier.contains(version(wanted.name), prereleases=True)
    except PackageNotFoundError:
        return False


def leave_pip_out(part: str) -> str:
    """Drop the command of pip from a step's shell script where all is there."""
    found = _INSTALL.search(part)
    if found is None:
        return part
    wanted = re.findall(r"'([^']+)'", found[0])
    if not wanted or not all(is_installed(name) for name in wanted if not name.startswith("-")):
        return part
    return part.replace(found[0], "true")


def run_as_in_a_container(full_command, env_vars=None, *, run=handler.run_local_subprocess):
    """Run a step as kfp does, with nothing left of the step before but its artifacts."""
    shutil.rmtree(KEPT, ignore_errors=True)
    if leave_pip_out(full_command[2]) == full_command[2] or full_command[3:5] != ["sh", "-ec"]:
        return run(full_command, env_vars)
    return run_forked(full_command[6], full_command[7:], env_vars or {})


def run_forked(code: str, arguments: list[str], env_vars: dict[str, str]) -> int:
    """Do what the step's shell script does, in a new process that has its libraries imported."""
    module = Path(tempfile.mkdtemp()) / "ephemeral_component.py"
    module.write_text(code)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(reading)
        os.close(writing)
        os.environ.update(env_vars, _KFP_RUNTIME="true")
        sys.argv = ["executor_main.py", "--component_module_path", str(module), *arguments]
        os._exit(execute())
    os.close(writing)
    # As kfp does: the step is over when nobody holds its output any more, its kernel among them.
    with os.fdopen(reading, encoding="utf-8", errors="replace") as output:
        for line in output:
            print(line, end="", flush=True)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def execute() -> int:
    """Call kfp's executor and end as a process of its own would."""
    result = 0
    logging.getLogger().handlers.clear()
    try:
        executor_main.executor_main()
    except SystemExit as error:
        result = error.code & 255 if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:  # noqa: BLE001 - the step fails with it
        traceback.print_exc()
        result = 1
    atexit._run_exitfuncs()  # noqa: SLF001 - the process ends below Python
    sys.stdout.flush()
    sys.stderr.flush()
    return result


def do(job: dict) -> dict:
    """Compile one notebook and run it; tells how far it came."""
    sys.argv = ["kale", "--nb", "notebook.ipynb", "--pipeline_name", NAME]
    try:
        kale.cli.main()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        traceback.print_exc()
        return {"came_to": "compile", "error": f"{type(error).__name__}: {error}"}
    if job["only_compiles"]:
        return {"came_to": "end", "error": "", "reports": {}}
    root = Path(job["artifacts"])
    try:
        runner = kfp.local.SubprocessRunner(use_venv=False)
        kfp.local.init(runner, pipeline_root=str(root), raise_on_error=True)
        pipeline = components.load_component_from_file(f".kale/{NAME}.pipeline.yaml")
        print("=== the pipeline runs", flush=True)
        pipeline(**job["params"])
    except BaseException as error:  # noqa: BLE001
        traceback.print_exc()
        return {"came_to": "run", "error": f"{type(error).__name__}: {error}"}
    suffix = "_html_report"
    reports = {path.name.removesuffix(suffix): str(path) for path in root.rglob(f"*{suffix}")}
    return {"came_to": "end", "error": "", "reports": reports}


def begin(job: dict) -> None:
    """Do a job in this process, which is new, and leave the answer."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    Path(job["answer"]).write_text(json.dumps(do(job)))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def find_descendants() -> list[int]:
    """List the processes below this one, also those whose parent has ended."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def end_all() -> None:
    """End what a job has left running."""
    while below := find_descendants():
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            while os.waitpid(-1, 0):
                pass
        except ChildProcessError:
            continue


def answer(job: dict) -> dict:
    """Do a job, for so long as it may take."""
    child = os.fork()
    if not child:
        begin(job)
    end = time.monotonic() + job["limit_s"]
    is_done = False
    while not is_done and time.monotonic() < end:
        is_done = os.waitpid(child, os.WNOHANG)[0] == child
        time.sleep(0.05)
    end_all()
    shutil.rmtree(KEPT, ignore_errors=True)
    if not is_done:
        return {"came_to": "run", "error": f"no end after {job['limit_s']} s"}
    target = Path(job["answer"])
    if not target.exists():
        return {"came_to": "run", "error": "the process ended without an answer"}
    return json.loads(target.read_text())


def main() -> None:
    """Answer jobs until there are no more."""
    if KEPT.exists():
        sys.exit(f"{KEPT} exists: Kale's steps write there; remove it, or end the other run")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    handler.run_local_subprocess = run_as_in_a_container
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    try:
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line))), flush=True)
    finally:
        end_all()
        shutil.rmtree(KEPT, ignore_errors=True)


if __name__ == "__main__":
    main()
