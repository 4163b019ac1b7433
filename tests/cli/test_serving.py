"""``mlops-nb serve`` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mlops_nb import api

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent another way there")
def test_model_is_served_until_interrupted(tmp_path: Path) -> None:
    """The address is told as JSON once requests are answered; Ctrl-C ends it with exit code 0."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    data = np.arange(6.0).reshape(3, 2)
    model = LinearRegression().fit(data, data[:, 0])
    api.register_model(model, name="line", alias="champion", example=data)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_nb", "serve", "line@champion", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line
        with urllib.request.urlopen(json.loads(text)["url"], timeout=120) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0
        assert "Traceback" not in errors
    finally:
        process.kill()
        process.communicate()
