"""Roll2Midi answers for the end of a recording as for its middle, whatever its length."""

import numpy as np
import pytest

from audeo_bench.contestants.loading import system


@pytest.fixture(scope="module")
def refiner():
    return system("video2roll+roll2midi").stages[-1].load()


@pytest.mark.parametrize("frames", [2811, 100, 96, 131, 7])
def test_the_tail_is_no_chord(refiner, frames):
    """A few notes to the end; unsupervised frames came out as a chord of all 51 keys."""
    roll = np.zeros((88, frames), np.float32)
    for start in range(0, frames, 10):
        roll[40 + start // 10 % 12, start : start + 8] = 0.9
    answer = refiner.midi(roll)
    assert answer.shape == roll.shape
    assert (answer[:, -40:] >= 0.4).sum(0).max() <= 6
