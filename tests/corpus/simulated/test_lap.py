"""Before the piano: floor or table, and legs that sway."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audeo_bench.corpus.simulated.lap import Lap, look_down, sit

HOMOGRAPHY = np.array([[1.0, 0, 0], [0, -0.5, 78.5], [0, 0, 1]])
"""1 mm across and 2 mm down by pixel; the keys end at row 78.5."""
PIANO, LIGHT = np.full((100, 900), 150, np.float32), np.ones((100, 900), np.float32)


@pytest.fixture(scope="module")
def lap() -> Lap:
    drawn = Lap.draw(np.random.default_rng(0))
    return replace(
        drawn, legs=True, edge=20.0, middle=450.0, gap=60.0, width=120.0, splay=0.0, floor_level=200.0,
        legs_level=60.0, stripes=(0.0, 10.0), shade=0.2,
    )  # fmt: skip


def painted(lap: Lap, shift: float) -> tuple[np.ndarray, np.ndarray]:
    strip = look_down(lap, PIANO, LIGHT, HOMOGRAPHY)
    picture, dirty = PIANO.copy(), np.zeros(900, np.bool_)
    sit(
        *(picture, dirty, strip.first, strip.bare, strip.cloth, strip.share, strip.free),
        np.float32(shift),
    )
    return picture, dirty


def test_legs_cover_the_floor_and_leave_the_piano_alone(lap):
    picture, dirty = painted(lap, 0.0)
    assert (picture[:88] == 150).all()  # 20 mm before the keys is row 88.5
    assert picture[95, 360] < 80 < 150 < picture[95, 450]  # a leg; between the legs
    assert picture[95, 100] > 150
    assert dirty[300:600].any() and not dirty[:290].any() and not dirty[610:].any()


@pytest.mark.parametrize("shift", [-9.0, 7.0, 7.5])
def test_legs_sway_and_mark_what_changes(lap, shift):
    still, _ = painted(lap, 0.0)
    moved, dirty = painted(lap, shift)
    changed = (moved != still).any(0)
    assert changed.any() and not (changed & ~dirty).any()
    if shift == int(shift):
        np.testing.assert_allclose(moved[:, 200:700], np.roll(still, int(shift), 1)[:, 200:700], atol=1e-3)


def test_without_legs_nothing_moves(lap):
    empty = replace(lap, legs=False)
    still, _ = painted(empty, 0.0)
    moved, dirty = painted(empty, 9.0)
    assert np.array_equal(still, moved) and not dirty.any()


def test_players_differ_and_sway_slowly():
    laps = [Lap.draw(np.random.default_rng(seed)) for seed in range(60)]
    assert 30 < sum(lap.legs for lap in laps) < 58
    times = np.arange(300) / 25
    for lap in laps:
        sway = lap.swaying(times, np.random.default_rng(1))
        assert sway.shape == (300,) and np.abs(sway).max() <= lap.sway + 1e-6
        assert np.abs(np.diff(sway)).max() < 1.5, "mm in a frame"
