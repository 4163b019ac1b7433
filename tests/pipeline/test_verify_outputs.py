"""What cells have shown is compared as people see it, and files by what they hold."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlops_nb.pipeline.filestate import read_file
from mlops_nb.pipeline.verify_outputs import (
    FileSide,
    clean,
    compare_files,
    compare_outputs,
    read_outputs,
)


def draw(line: list[int], note: str = "") -> bytes:
    """Draw a picture; the note is in the file and not in the picture."""
    figure = Figure(figsize=(1, 1))
    FigureCanvasAgg(figure)
    figure.subplots().plot(line)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Comment": note})
    return file.getvalue()


def show_picture(content: bytes) -> dict[str, Any]:
    """Give the output of a cell that shows a picture."""
    text = base64.b64encode(content).decode()
    return {"output_type": "display_data", "data": {"image/png": text, "text/plain": "<Figure>"}}


def print_text(text: str, name: str = "stdout") -> dict[str, Any]:
    """Give the output of a cell that prints."""
    return {"output_type": "stream", "name": name, "text": text}


def show_value(text: str, **metadata: Any) -> dict[str, Any]:
    """Give the output of a cell that shows a value."""
    return {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": metadata}


def test_printed_text_is_compared() -> None:
    """However the text came in pieces, and without what goes to stderr."""
    first = [print_text("a\nb"), print_text("warning", "stderr"), print_text("c\n")]
    assert compare_outputs(3, first, [print_text("a\nbc\n")], {}) is None
    found = compare_outputs(3, first, [print_text("a\nbd\n")], {})
    assert found is not None
    assert (found.path, found.kind) == ("printed text of cell 3", "value")
    assert found.reference == r"'a\nbc\n'"


def test_shown_values_are_compared() -> None:
    """The text of a value counts, and so does an error that a cell was expected to raise."""
    assert compare_outputs(0, [show_value("1")], [show_value("1")], {}) is None
    found = compare_outputs(0, [show_value("1")], [show_value("2")], {})
    assert found is not None
    assert found.path == "shown values of cell 0[0]"
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'a'"}
    assert compare_outputs(0, [error], [error | {"evalue": "'b'"}], {}) is not None
    assert compare_outputs(0, [show_value("1")], [], {}) is not None


def test_pictures_are_compared_by_pixels() -> None:
    """Other bytes of the same picture are the same picture."""
    first = [show_picture(draw([1, 2]))]
    assert compare_outputs(1, first, [show_picture(draw([1, 2], "another file"))], {}) is None
    found = compare_outputs(1, first, [show_picture(draw([2, 1]))], {})
    assert found is not None
    assert found.path.startswith("pictures of cell 1[0][")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("<object at 0x7f3a2b1c0d10>", "<object at 0x7fff2b1c0d99>"),
        ("CPU times: user 3 ms\nWall time: 4 ms\n7", "CPU times: user 9 ms\nWall time: 8 ms\n7"),
        ("10 us +- 1 us per loop (mean and std)\n", "12 us +- 1 us per loop (mean and std)\n"),
        ("run 01a20109-92a1-7e0e-a230-7410e7122e2a", "run 01a20104-62c9-7277-816a-c868fdee5dc7"),
        ("\x1b[31mred\x1b[0m", "red"),
    ],
)
def test_what_only_this_process_knows_is_left_out(first: str, second: str) -> None:
    """Addresses, times, colors and ids of runs are others in each process."""
    assert clean(first) == clean(second)
    assert clean("loss 0.25 after 3 epochs") == "loss 0.25 after 3 epochs"


def test_folders_stand_for_one_another() -> None:
    """A printed path is compared as if both runs had worked in the same folder."""
    first, second = [print_text("in /tmp/x/a.csv\n")], [print_text("in /home/me/a.csv\n")]
    assert compare_outputs(0, first, second, {}) is not None
    assert compare_outputs(0, first, second, {"/tmp/x": "/home/me"}) is None


def test_our_own_cards_do_not_count() -> None:
    """A card names its run, which is another each time."""
    assert compare_outputs(0, [show_value("run a", mlops={})], [], {}) is None


def test_unknown_outputs_are_not_compared() -> None:
    """A cell that one side never ran is told elsewhere."""
    assert compare_outputs(0, None, [print_text("a")], {}) is None


def test_outputs_are_read_by_the_users_cell(tmp_path: Path) -> None:
    """Cells that were added have no place in the notebook, and are left out."""
    cells = [
        {"cell_type": "code", "metadata": {"mlops": {"kind": "inputs"}}, "outputs": [1]},
        {"cell_type": "code", "metadata": {"mlops": {"index": 4}}, "outputs": [2]},
        {"cell_type": "markdown", "metadata": {"mlops": {"index": 5}}},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert read_outputs(path) == {4: [2]}
    assert read_outputs(None) == {}


class Folders:
    """Files of a reference run and of a pipeline, under the names of the latter."""

    def __init__(self, root: Path) -> None:
        self.reference, self.pipeline = root / "reference", root / "pipeline"
        self.reference.mkdir()
        self.pipeline.mkdir()

    def compare(self, name: str, first: bytes | None, second: bytes | None) -> tuple[Any, Any]:
        """Write both files and compare them."""
        sides = []
        for folder, content in ((self.reference, first), (self.pipeline, second)):
            path = folder / name
            if content is not None:
                path.write_bytes(content)
            sides.append(
                {} if content is None else {str(self.pipeline / name): read_file(str(path))}
            )
        copies = {str(self.pipeline / name): self.reference / name}
        places = {str(self.reference): str(self.pipeline)}
        return compare_files(FileSide(sides[0], copies), FileSide(sides[1]), self.pipeline, places)


def test_files_are_compared_by_content(tmp_path: Path) -> None:
    """Bytes count; pictures by pixels, texts but for the folder that they name."""
    files = Folders(tmp_path)
    assert files.compare("same.bin", b"\xff1", b"\xff1") == ([], {})
    assert files.compare("a.png", draw([1]), draw([1], "note")) == ([], {})
    text = f"at {files.reference}/a".encode(), f"at {files.pipeline}/a".encode()
    assert files.compare("a.txt", *text) == ([], {})
    for name, first, second in [
        ("b.txt", b"1\n2\n", b"1\n3\n"),
        ("b.bin", b"\xff1", b"\xff2"),
        ("b.png", draw([1, 2]), draw([2, 1])),
    ]:
        differences, _ = files.compare(name, first, second)
        assert len(differences) == 1
        assert differences[0].path.startswith(str(files.pipeline / name))


def test_missing_files_are_told(tmp_path: Path) -> None:
    """A file that only one run has written is a difference."""
    files = Folders(tmp_path)
    (missing,), _ = files.compare("a.txt", b"1", None)
    assert (missing.reference, missing.pipeline) == ("a file", "not written")
    (extra,), _ = files.compare("b.txt", None, b"1")
    assert (extra.reference, extra.pipeline) == ("not written", "a file")


def test_temporary_files_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the folder for temporary files has another name each time, and does not stay."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    side = FileSide({str(tmp_path / "tmp1" / "x"): {"digest": "a"}})
    assert compare_files(FileSide({}), side, folder, {}) == ([], {})
    own = FileSide({str(folder / "x"): {"digest": "a"}})
    differences, _ = compare_files(FileSide({}), own, folder, {})
    assert len(differences) == 1


def test_files_that_cannot_be_compared_are_listed(tmp_path: Path) -> None:
    """Bytes that hold a path, or a picture that is none, are neither equal nor different."""
    files = Folders(tmp_path)
    first = b"\xff" + str(files.reference).encode()
    differences, uncompared = files.compare("a.pkl", first, b"\xff1")
    assert differences == []
    assert list(uncompared.values()) == ["it names the folder that it was made in"]
    differences, uncompared = files.compare("a.png", b"no picture", b"none either")
    assert differences == []
    assert "cannot be read" in next(iter(uncompared.values()))
