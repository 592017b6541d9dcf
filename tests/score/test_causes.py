"""Every error has exactly one cause, one polyphony and one register."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.api import AudeoBenchError
from audeo_bench.score.causes import CAUSES, cause_counts
from audeo_bench.score.frames import frame_counts

MIDDLE_C = 39


def cells(*places: tuple[int, slice]) -> np.ndarray:
    roll = np.zeros((88, 20), bool)
    for key, frames in places:
        roll[key, frames] = True
    return roll


@pytest.mark.parametrize(
    ("key", "frames", "cause"),
    [
        (MIDDLE_C, slice(3, 5), "edge"),
        (MIDDLE_C, slice(10, 12), "edge"),
        (MIDDLE_C + 12, slice(5, 7), "octave"),
        (MIDDLE_C - 12, slice(5, 7), "octave"),
        (MIDDLE_C + 1, slice(5, 7), "neighbour"),
        (MIDDLE_C - 2, slice(5, 7), "neighbour"),
        (MIDDLE_C + 3, slice(5, 7), "other"),
        (MIDDLE_C, slice(13, 15), "other"),
        (MIDDLE_C + 12, slice(11, 13), "other"),
    ],
)
def test_kinds_of_false_positives(key: int, frames: slice, cause: str) -> None:
    truth = cells((MIDDLE_C, slice(5, 10)))
    counts = cause_counts(truth, truth | cells((key, frames))).false_positives
    assert counts == {**dict.fromkeys(CAUSES, 0), "pressed": None, cause: 2}


def test_a_key_held_after_its_sound_died_comes_before_all_other_causes() -> None:
    truth, pressed = cells((MIDDLE_C, slice(5, 10))), cells((MIDDLE_C, slice(5, 18)))
    counts = cause_counts(truth, cells((MIDDLE_C, slice(5, 20))), pressed)
    assert counts.false_positives == {"pressed": 8, "edge": 0, "octave": 0, "neighbour": 0, "other": 2}


def test_misses_by_polyphony_and_register() -> None:
    truth = cells((3, slice(0, 4)), (MIDDLE_C, slice(2, 6)), (87, slice(2, 3)))
    counts = cause_counts(truth, cells((3, slice(0, 4)), (50, slice(10, 11))))
    assert counts.by_polyphony.frames == [14, 4, 1, 1, 0]
    assert counts.by_polyphony.tp == [0, 2, 1, 1, 0]
    assert counts.by_polyphony.fn == [0, 2, 1, 2, 0]
    assert counts.by_polyphony.fp == [1, 0, 0, 0, 0]
    assert counts.by_register.tp == [0, 4, 0, 0, 0, 0, 0, 0, 0]
    assert counts.by_register.fn == [0, 0, 0, 0, 4, 0, 0, 0, 1]
    assert counts.by_register.fp == [0, 0, 0, 0, 1, 0, 0, 0, 0]


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 30), known=st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_cell_is_counted_once(seed: int, frames: int, known: bool) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted, pressed = (rng.random((88, frames)) < share for share in (0.05, 0.1, 0.08))
    counts = cause_counts(truth, predicted, pressed if known else None)
    whole = frame_counts(truth, predicted, (0.5,))
    assert sum(count or 0 for count in counts.false_positives.values()) == whole.fp.sum()
    for group in (counts.by_polyphony, counts.by_register):
        assert [sum(group.tp), sum(group.fp), sum(group.fn)] == [
            whole.tp.sum(),
            whole.fp.sum(),
            whole.fn.sum(),
        ]
    assert sum(counts.by_polyphony.frames) == frames


def test_rolls_of_unequal_shapes_are_refused() -> None:
    with pytest.raises(AudeoBenchError, match=r"pressed of shape \(88, 19\)"):
        cause_counts(cells(), cells(), cells()[:, 1:])
