"""Every code block of the documentation runs, in order, or says why not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?^```(?P<language>\w+)[^\n]*\n(?P<source>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
EXECUTED = {"bash", "python", "ipython"}
SHOWN = {"text", "json", "toml", "yaml", "http", "makefile", "mermaid", "html"}


@dataclass(frozen=True)
class Block:
    """One fenced block: where it begins, its language, and why it is not run."""

    line: int
    language: str
    source: str
    reason: str | None


def read_blocks(page: Path) -> Iterator[Block]:
    """Give a page's blocks in order."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("source"))
        yield Block(line, match["language"], match["source"], match["reason"])


def name_page(page: Path) -> str:
    """Name a page by its place in the project."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_every_block_names_its_language(page: Path) -> None:
    """A block is run or only shown, and its fence says which."""
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") + text.startswith("```") == 2 * len(list(read_blocks(page)))
    assert {block.language for block in read_blocks(page)} <= EXECUTED | SHOWN


class Page:
    """Runs the blocks of one page in a folder and a kernel of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bin_folder = str(Path(sys.executable).parent)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("MLOPS_NB_")},
            "PATH": bin_folder + os.pathsep + os.environ["PATH"],
            "MLOPS_NB_CACHE": str(folder / "cache"),
            "IPYTHONDIR": str(folder / "ipython"),
            "NO_COLOR": "1",
        }
        self._manager: Any = None
        self._client: Any = None

    def run_bash(self, block: Block) -> None:
        """Run a block as a shell script that stops at the first error."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.source],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"line {block.line}:\n{done.stdout}{done.stderr}"

    def run_cell(self, block: Block) -> None:
        """Run a block as a cell of the page's kernel."""
        if self._client is None:
            self._manager, self._client = start_new_kernel(
                kernel_name="python3", cwd=str(self.folder), env=self.environment
            )
        reply = self._client.execute_interactive(
            block.source, timeout=120, output_hook=lambda _: None
        )
        content = reply["content"]
        assert content["status"] == "ok", f"line {block.line}: {content.get('evalue')}"

    def close(self) -> None:
        """Stop the kernel."""
        if self._client is not None:
            self._client.stop_channels()
            self._manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.language in EXECUTED for block in read_blocks(page))],
    ids=name_page,
)
def test_blocks_run(page: Path, tmp_path: Path) -> None:
    """Following a page from top to bottom works, in the folder it speaks of."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "example_notebooks", folder)
    (folder / "pyproject.toml").write_text("")
    runner = Page(folder)
    try:
        for block in read_blocks(page):
            if block.language not in EXECUTED or block.reason:
                continue
            if block.language == "bash":
                runner.run_bash(block)
            else:
                runner.run_cell(block)
    finally:
        runner.close()
