"""Hands and presses of one film on the keyboards of photographs; several trainings' weights as one net."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyboard.views import LEVEL, view
from safetensors.torch import load_file
from tiny_corpus import TinyCorpus
from training.test_training import quick, render_here, tiny  # noqa: F401 - a fixture

from audeo_bench.api import AudeoBenchError
from audeo_bench.leaderboards.leaks import check_training
from audeo_bench.training import frames as training_frames
from audeo_bench.training import job
from audeo_bench.training.keyboards import Photographs, on_another


def levels(seed: int, shape: tuple[int, ...] = (20, 90)) -> np.ndarray:
    return np.random.default_rng(seed).integers(20, 220, shape).astype(np.uint8)


@settings(deadline=None)  # the first example compiles
@given(st.integers(0, 1000))
def test_where_nothing_happens_the_other_keyboard_is_seen_as_it_is(seed: int):
    stack = np.repeat(levels(seed)[None], 6, axis=0)[None]
    other = levels(seed + 1)
    on_another(stack, [other], np.random.default_rng(seed), share=1.0)
    np.testing.assert_array_equal(stack[0], np.repeat(other[None], 6, axis=0))


def test_a_press_is_added_and_a_hand_hides():
    rest = np.full((20, 90), 200, np.uint8)
    rest[:10, ::6] = 20
    other = np.full((20, 90), 150, np.uint8)
    other[:10, ::6] = 10
    stack = np.repeat(rest[None], 3, axis=0)
    stack[0, 12:18, 30:33] -= 12  # a key that is down is a little darker
    stack[1, 2:20, 40:60] = 100  # a hand over white and black keys
    stacks = stack[None]
    on_another(stacks, [other], np.random.default_rng(0), share=1.0)
    pressed, covered, at_rest = stacks[0]
    np.testing.assert_array_equal(at_rest, other)
    np.testing.assert_allclose(pressed[13, 31], 150 - 12 * 150 / 200, atol=1)
    np.testing.assert_allclose(covered[2:20, 40:60], 100 * 150 / 200, atol=1)  # one level, keys hidden


def test_a_share_of_the_stacks_keeps_its_keyboard():
    stacks = np.repeat(np.repeat(levels(0)[None], 4, axis=0)[None], 400, axis=0)
    on_another(stacks, [levels(1)], np.random.default_rng(0), share=0.25)
    changed = (stacks[:, -1] != levels(0)).any(axis=(1, 2)).mean()
    assert 0.18 < changed < 0.32


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs of pianos, one with a hand on the keys, and one of a wall."""
    folder = tmp_path_factory.mktemp("pianos")
    for seed in (1, 2):
        picture = view(LEVEL, seed)
        if seed == 2:
            picture[175:260, 200:260] = 120
        cv2.imwrite(str(folder / f"piano{seed}.png"), picture)
    cv2.imwrite(str(folder / "wall.png"), np.full((360, 640), 90, np.uint8))
    (folder / "films.csv").write_text("file,film\n")
    return folder


def test_keyboards_are_found_once(photographs, tmp_path, monkeypatch):
    monkeypatch.setenv("AUDEO_BENCH_CACHE", str(tmp_path))
    keyboards = Photographs(photographs).keyboards(workers=1)
    assert keyboards.shape == (2, 100, 900)
    monkeypatch.setattr("audeo_bench.training.keyboards.find_keyboard", None)  # it is not asked again
    np.testing.assert_array_equal(Photographs(photographs).keyboards(workers=1), keyboards)
    assert [each.shape for each in Photographs(photographs).at((50, 450))] == [(50, 450)] * 2


def test_keyboards_without_a_performance_leak_nothing():
    seen = ("pictures/stills (273 keyboards)",)
    assert check_training(seen, TinyCorpus(), "wtc2", "keywise") == ()


def test_a_folder_without_keyboards_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDEO_BENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(AudeoBenchError, match="no such folder"):
        Photographs(tmp_path / "gone").keyboards(workers=1)
    with pytest.raises(AudeoBenchError, match="no picture"):
        Photographs(tmp_path).keyboards(workers=1)
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((360, 640), 90, np.uint8))
    with pytest.raises(AudeoBenchError, match="none of 1 pictures shows all 88 keys"):
        Photographs(tmp_path).keyboards(workers=1)


def test_weights_say_which_photographs_they_saw_and_their_mean_is_one_net(photographs, tiny):  # noqa: F811
    takes = [training_frames.Source("simulated", 0, "wtc1", take) for take in range(3)]
    render_here([*takes, training_frames.Source("simulated", 0, "validation")], (50, 450))
    options = {"width": 8, "epochs": 1, "keyboards": photographs, "workers": 1}
    with pytest.raises(AudeoBenchError, match="does not see the keyboard at rest"):
        job.train("video2roll", quick(tiny, **options))
    each = [job.train("keywise", quick(tiny, **options, seed=seed)) for seed in (0, 1)]
    record = json.loads(each[0].with_suffix(".json").read_text())
    seen = f"pictures/{photographs.name} (2 keyboards)"
    assert record["trained_on"][-1] == seen

    mean = job.train("keywise", quick(tiny, called="mean", average=tuple(each)))
    record = json.loads(mean.with_suffix(".json").read_text())
    assert len(record["averaged_sha256"]) == 2 and 0 <= record["validation_score"] <= 1
    assert record["trained_on"][-1] == seen
    states = [load_file(path) for path in (*each, mean)]
    np.testing.assert_allclose(
        states[2]["conv1.weight"].float(),
        (states[0]["conv1.weight"].float() + states[1]["conv1.weight"].float()) / 2,
        atol=2e-3,
    )
    with pytest.raises(AudeoBenchError, match="two or more"):
        job.train("keywise", quick(tiny, called="mean", average=(each[0],)))
