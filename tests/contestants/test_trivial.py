"""The rows that have learned nothing."""

from __future__ import annotations

import numpy as np
import pytest

from audeo_bench.contestants.check import check
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.roster import roster
from audeo_bench.keyboard import IS_BLACK, KEY_X, KEYBOARD_WIDTH


def roll(name: str, frames: np.ndarray) -> np.ndarray:
    return find(name).load().roll(frames)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["silence", "finger_over_key"])
def test_they_keep_the_contract_and_are_run_only_when_asked_for(name):
    assert [found for found in check(name) if found.outcome == "fail"] == []
    assert name not in roster().midi


def test_silence_is_silent():
    assert not roll("silence", np.zeros((3, 100, 900), np.uint8)).any()


@pytest.mark.parametrize(("key", "rows"), [(39, slice(55, 100)), (40, slice(25, 65))])
def test_a_finger_over_a_key_is_that_key(key, rows):
    """A dark finger as broad as the key lies on middle C, then on the C sharp beside it."""
    frames = np.full((40, 100, 900), 200, np.uint8)
    half = 5.5 if IS_BLACK[key] else 11.75
    left, right = ((KEY_X[key] + side * half) / KEYBOARD_WIDTH * 900 for side in (-1, 1))
    frames[10:20, rows, round(left) : round(right)] = 90
    answer = roll("finger_over_key", frames)
    assert answer.shape == (88, 40)
    on = answer >= 0.4
    assert on[key, 10:20].all() and not on[:, :10].any() and not on[:, 20:].any()
    others = np.flatnonzero(on.any(1)).tolist()
    assert others == [key], "no neighbour is covered as far"
