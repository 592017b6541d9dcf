"""The notebooks of ``examples/`` run from top to bottom, each value shown as a notebook shows it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import READER, TinyCorpus, write_contestant

import audeo_bench
from audeo_bench.api import AudeoBenchError
from audeo_bench.notebook import Sound
from audeo_bench.places import checkout

ROOT = checkout() or Path()
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
pytestmark = pytest.mark.skipif(checkout() is None, reason="notebooks are in the checkout")


def shown(value: object) -> str | bytes:
    for way in ("_repr_html_", "_repr_png_"):
        if hasattr(value, way) and (found := getattr(value, way)()) is not None:
            return found
    return repr(value)


def run_cell(source: str, names: dict) -> object:
    """The value of a cell's last line, where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last is not None else None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tiny: TinyCorpus, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads(path.read_text())["cells"]
    assert not any(cell.get("outputs") for cell in cells), "clear the outputs"
    names: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            value = run_cell("".join(cell["source"]).replace('"simulated", "wtc2"', '"tiny", "wtc2"'), names)
            if value is not None:
                assert shown(value)


def read_keys(frames) -> np.ndarray:
    return np.asarray(frames[:])[:, 0, :880:10].T * np.float32(0.9 / 255)


def test_a_function_a_file_and_its_run_get_the_same_scores(tiny: TinyCorpus, tmp_path: Path) -> None:
    path = write_contestant(tmp_path, "reader", READER)
    runs = tmp_path / "runs"
    function = audeo_bench.evaluate(read_keys, "wtc2", "tiny")
    file = audeo_bench.evaluate(path, "wtc2", tiny, runs=runs)
    run = audeo_bench.evaluate(file.folder)
    assert function.scores == file.scores == run.scores
    assert 0 < function.f1 <= 1
    assert repr(function) == f"Evaluation(read_keys on tiny wtc2 (simulated): F1 {function.f1:.3f})"
    for name, roll in function.rolls.items():
        np.testing.assert_allclose(file.rolls[name], roll, atol=1e-3)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(AudeoBenchError, match="int is no model"):
        audeo_bench.evaluate(3, "wtc2", TinyCorpus())  # type: ignore[arg-type]
    with pytest.raises(AudeoBenchError, match=r"shape is \(50, 88\); it looks transposed"):
        audeo_bench.evaluate(lambda frames: read_keys(frames).T, "wtc1", TinyCorpus())


def test_things_are_shown_in_a_line(tiny: TinyCorpus) -> None:
    recording = tiny.recording("wtc2-01")
    for thing in (tiny, recording, recording.notes, Sound(np.zeros(16000, np.float32))):
        assert len(repr(thing)) < 110
        assert "array" not in repr(thing)


def test_pictures_are_figures_and_sound_plays(tiny: TinyCorpus, tmp_path: Path) -> None:
    recording = tiny.recording("wtc2-01")
    picture = audeo_bench.plot(recording.sounding, seconds=2, late=np.roll(recording.sounding, 2, 1))
    assert [axis.get_title(loc="left") for axis in picture.axes] == ["late", "truth (sounding)"]
    assert picture._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    heard = audeo_bench.play(recording.sounding)
    assert len(heard.samples) == 120 * 640
    assert heard._repr_html_().startswith('<audio controls src="data:audio/wav;base64,UklGR')
    assert heard.save(tmp_path / "heard.wav").stat().st_size == 44 + 2 * len(heard.samples)
