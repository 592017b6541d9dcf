"""The keyboard at rest is found under hands that hardly ever leave."""

import numpy as np
import pytest

from audeo_bench.corpus import open_corpus
from audeo_bench.keyboard.rest import alone, as_other_octaves, at_rest

HAND = (slice(45, 100), slice(300, 380))


@pytest.fixture(scope="module")
def keyboard() -> np.ndarray:
    """A simulated keyboard that nobody plays, (100, 900)."""
    corpus = open_corpus("simulated")
    return corpus.recording(corpus.ids("wtc2")[0]).frames.idle()


def filmed(keyboard: np.ndarray, away: int, moments: int = 64) -> np.ndarray:
    """A grey hand that trembles over the same keys at all but so many moments."""
    rng = np.random.default_rng(0)
    pictures = np.repeat(keyboard[None], moments, axis=0)
    for moment in rng.permutation(moments)[away:]:
        pictures[moment][HAND] = rng.integers(60, 110)
    return pictures


@pytest.mark.parametrize("away", [5, 12, 40])
def test_a_hand_that_stays_is_taken_away(keyboard, away):
    pictures = filmed(keyboard, away)
    np.testing.assert_allclose(at_rest(pictures)[:70, 310:370], keyboard[:70, 310:370], atol=2)
    median = np.median(pictures, axis=0)
    assert (np.abs(median - keyboard)[HAND].mean() > 50) == (away < 32)


def test_where_no_hand_is_the_median_stands(keyboard):
    rng = np.random.default_rng(1)
    noisy = np.clip(keyboard + rng.normal(0, 3, (9, 100, 900)), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(at_rest(noisy), np.median(noisy, axis=0).astype(np.uint8))


def test_a_hand_that_is_never_away_stays_and_nothing_breaks(keyboard):
    rest = at_rest(filmed(keyboard, away=0))
    np.testing.assert_array_equal(rest[:, 500:], keyboard[:, 500:])


def test_other_octaves_show_what_one_hides(keyboard):
    covered = keyboard.copy()
    covered[HAND] = 80
    unlike = np.abs(as_other_octaves(covered) - keyboard)[HAND[0], HAND[1]][:25]
    assert np.median(unlike) < 15


def test_a_hand_in_one_picture_is_replaced_by_what_other_octaves_show(keyboard):
    covered = keyboard.copy()
    covered[HAND] = 110
    rest = alone(covered)
    unlike = [np.abs(each[HAND].astype(float) - keyboard[HAND])[:25].mean() for each in (covered, rest)]
    assert unlike[1] < 0.3 * unlike[0]
    np.testing.assert_array_equal(rest[:, 500:], keyboard[:, 500:])
