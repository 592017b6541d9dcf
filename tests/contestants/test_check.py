"""``audeo-bench check``: what a contestant may do wrong is found, and said in words."""

import pytest
from tiny_corpus import READER, write_contestant

from audeo_bench.contestants.check import Finding, check

HEADER = """
from __future__ import annotations

import numpy as np

from audeo_bench.api import KEYS, RollToMidi, Synthesizer, VideoToRoll, windows
"""


def contestant(folder, body: str, base: str = "VideoToRoll"):
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.strip().splitlines())
    return str(
        write_contestant(folder, "mine", f'{HEADER}\n\nclass Mine({base}):\n    name = "mine"\n\n{lines}')
    )


def findings(path: str) -> dict[str, Finding]:
    return {found.contract: found for found in check(path)}


def failures(found: dict[str, Finding]) -> list[str]:
    return [name for name, finding in found.items() if finding.outcome == "fail"]


def test_a_good_contestant_passes_everything(tmp_path):
    found = findings(str(write_contestant(tmp_path, "reader", READER)))
    assert {name: finding.outcome for name, finding in found.items()} == dict.fromkeys(
        (
            "loads",
            "declares its training data",
            "shapes and range",
            "deterministic under a seed",
            "unmoved by earlier recordings",
            "looks at its input",
            "independent of window size",
            "no peeking",
            "reads window by window",
        ),
        "pass",
    )


@pytest.mark.parametrize(
    ("body", "contract", "words"),
    [
        ("def roll(self, frames): return np.zeros((len(frames), KEYS))", "shapes and range", "transposed"),
        ("def roll(self, frames): return np.zeros((KEYS, 100), np.float32)", "shapes and range", "shape"),
        ("def roll(self, frames): return np.full((KEYS, len(frames)), 3.0)", "shapes and range", "sigmoid"),
        ("def roll(self, frames): return np.full((KEYS, len(frames)), np.nan)", "shapes and range", "finite"),
        ("def roll(self, frames): raise RuntimeError('no camera')", "shapes and range", "no camera"),
        ("trained_on = 'simulated/wtc1'\ndef roll(self, frames): return np.zeros((KEYS, len(frames)))",
         "loads", "tuple"),
        ("trained_on = ('everything',)\ndef roll(self, frames): return np.zeros((KEYS, len(frames)))",
         "declares its training data", "corpus/split"),
        ("def load(self, weights): pass\ndef roll(self, frames): return np.zeros((KEYS, len(frames)))",
         "loads", "needs trained weights"),
        ("""
rng = np.random.default_rng()
def roll(self, frames): return self.rng.random((KEYS, len(frames)))""",
         "deterministic under a seed", "differ by up to"),
        ("""
def roll(self, frames):
    means = [mean for _, window in windows(frames) for mean in [window.mean()] * len(window)]
    return np.tile(np.array(means, np.float32) / 255, (KEYS, 1))[:, : len(frames)]""",
         "independent of window size", "context"),
        ("""
def roll(self, frames):
    from audeo_bench.corpus import open_corpus
    truth = open_corpus("simulated").recording("wtc1-01").sounding
    return np.resize(truth, (KEYS, len(frames))).astype(np.float32)""",
         "no peeking", "asked for the corpus"),
        ("def roll(self, frames): return frames[0:len(frames)][:, 0, :KEYS].T / np.float32(255)",
         "reads window by window", "at once"),
        ("""
seen = []
def roll(self, frames):
    self.seen.append(frames[0].mean() / 255)
    return np.full((KEYS, len(frames)), np.mean(self.seen))""",
         "unmoved by earlier recordings", "what was answered before"),
    ],
)  # fmt: skip
def test_each_fault_is_found(tmp_path, body, contract, words):
    found = findings(contestant(tmp_path, body))
    assert contract in failures(found), found
    assert words in found[contract].words


def test_an_answer_that_ignores_the_picture_is_warned_of(tmp_path):
    found = findings(contestant(tmp_path, "def roll(self, frames): return np.zeros((KEYS, len(frames)))"))
    assert failures(found) == []
    assert found["looks at its input"].outcome == "warn"


def test_a_roll_to_midi_contestant_is_checked_on_rolls(tmp_path):
    found = findings(contestant(tmp_path, "def midi(self, roll): return roll ** 2", "RollToMidi"))
    assert failures(found) == []


def test_a_synthesizer_is_checked_on_sound(tmp_path):
    body = "def audio(self, roll): return np.repeat(roll.mean(axis=0), 640).astype(np.float32)"
    assert failures(findings(contestant(tmp_path, body, "Synthesizer"))) == []
    body = "def audio(self, roll): return np.zeros(10)"
    assert (
        "mono float32 samples"
        in findings(contestant(tmp_path, body, "Synthesizer"))["shapes and range"].words
    )


def test_a_stranger_with_folders_and_modules_of_their_own(tmp_path):
    """Own ``models/`` and ``utils.py``, and a dataclass with postponed annotations."""
    write_contestant(tmp_path / "models", "net", "SCALE = 0.5\n")
    write_contestant(
        tmp_path, "utils", "from models.net import SCALE\n\ndef scaled(x):\n    return x * SCALE\n"
    )
    text = READER.replace(
        "import numpy as np\n",
        "from dataclasses import dataclass\n\nimport numpy as np\nfrom utils import scaled\n",
    ).replace(
        "class Reader",
        "@dataclass\nclass Options:\n    width: int = 16\n    names: list[str] | None = None\n\n\n"
        "class Reader",
    )
    text = text.replace("np.float32(0.9 / 255)", "scaled(np.float32(Options().width / 16 / 255))")
    assert failures(findings(str(write_contestant(tmp_path, "mine", text)))) == []


def test_a_missing_package_is_named(tmp_path):
    path = write_contestant(
        tmp_path, "mine", READER.replace("import numpy", "import no_such_package_anywhere\nimport numpy", 1)
    )
    (found,) = check(str(path))
    assert (found.contract, found.outcome) == ("loads", "fail")
    assert "no_such_package_anywhere" in found.words


def test_what_dies_in_one_test_is_judged_by_the_others(tmp_path):
    body = """
def roll(self, frames):
    import os
    for _, window in windows(frames):
        if len(window) == 7:
            os._exit(3)
    return np.zeros((KEYS, len(frames)), np.float32)"""
    found = findings(contestant(tmp_path, body))
    assert failures(found) == ["independent of window size"]
    assert found["reads window by window"].outcome == "pass"
