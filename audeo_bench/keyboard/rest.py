"""The keyboard at rest: one picture of it without the hands, out of many with them.

The median over a recording is nearly that, but hands that stay where they are for most of a film stay in it,
and just the keys that are played are hidden. What lies under them is known twice: other octaves show it, and
so do the few moments at which the hands are away. The first says where the median shows a hand, and which
moments are those; the picture is made of the second.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from audeo_bench.keyboard import BEFORE, BEHIND, KEYBOARD_WIDTH, OCTAVE, WHITE_LENGTH, WHITE_WIDTH

REST_VERSION = 2
"""Goes up whenever :func:`at_rest` changes; kept pictures are named after it."""

FRONT = (BEHIND + WHITE_LENGTH) / (BEHIND + WHITE_LENGTH + BEFORE)
"""Where the white keys' front edge lies, in picture heights from the far side."""
UNLIKE = 0.16
"""In one picture alone a hand is unlike other octaves by more than so much of the contrast."""
DARKER, MOVED = 0.12, 0.12
"""A hand is darker than the same place of other octaves, and what it covers changes in the film, by more than
so much of the picture's contrast."""
SMOOTH, LEAST, GROWN = (6, 6), (10, 12), (7, 10)
"""Rows and columns of a 100x900 picture: over which differences are averaged, the least that is a hand, and
how far its mask grows."""
MOMENTS = 5
"""How many moments show what lies under a hand, chosen for each white key's strip."""


def at_rest(pictures: np.ndarray) -> np.ndarray:
    """A keyboard's picture without hands.

    Parameters
    ----------
    pictures : np.ndarray, shape (n, height, width), uint8
        Moments spread over a recording, A0 to C8 from the left to the right edge, the player at the bottom.

    Returns
    -------
    np.ndarray, shape (height, width), uint8
        The median over the recording, and where a hand hides the keys in it, the median of the five moments
        at which they look most like other octaves' keys.
    """
    rest = np.median(pictures, axis=0).astype(np.float32)
    expected = as_other_octaves(rest)
    hands = _hands(pictures, rest, expected)
    borders = np.linspace(0, rest.shape[1], round(KEYBOARD_WIDTH / WHITE_WIDTH) + 1).round().astype(int)
    for left, right in pairwise(borders):
        hidden, strip = hands[:, left:right], pictures[:, :, left:right]
        if hidden.any():
            unlike = np.abs(strip - expected[:, left:right])[:, hidden].mean(axis=1)
            moments = np.argsort(unlike, kind="stable")[:MOMENTS]
            rest[:, left:right][hidden] = np.median(strip[moments], axis=0)[hidden]
    return rest.astype(np.uint8)


def alone(picture: np.ndarray) -> np.ndarray:
    """The keyboard without hands out of one picture of it: what is unlike other octaves is taken from them.

    Parameters
    ----------
    picture : np.ndarray, shape (height, width), uint8
        A0 to C8 from the left to the right edge, the player at the bottom.

    Returns
    -------
    np.ndarray, shape (height, width), uint8
    """
    from scipy.ndimage import gaussian_filter1d, uniform_filter

    expected = as_other_octaves(picture)
    contrast = float(np.subtract(*np.percentile(expected, [95, 5])))
    unlike = uniform_filter(np.abs(picture - expected), _size(SMOOTH, 3, picture.shape)) > UNLIKE * contrast  # type: ignore[arg-type]
    hands = _wide(unlike)
    # How bright this place of the keyboard is, beside the median of all octaves, where nothing hides it.
    smooth = picture.shape[1] / 36
    here, there = (
        gaussian_filter1d(np.where(hands, 0.0, side).sum(axis=0) + 1.0, smooth)
        for side in (picture, expected)
    )
    return np.where(hands, expected * (here / there), picture).clip(0, 255).astype(np.uint8)


def as_other_octaves(picture: np.ndarray) -> np.ndarray:
    """What every place of a picture of the keyboard, (height, width), shows in the median of all octaves,
    float32.
    """
    width = picture.shape[1]
    octave = width * OCTAVE / KEYBOARD_WIDTH
    views = []
    for step in range(-6, 7):
        place = np.arange(width) + step * octave
        low = np.clip(np.floor(place).astype(int), 0, width - 2)
        share = (place - low).astype(np.float32)
        view = picture[:, low] * (1 - share) + picture[:, low + 1] * share
        view[:, (place < 0) | (place > width - 1)] = np.nan
        views.append(view)
    return np.nanmedian(views, axis=0).astype(np.float32)


def _hands(pictures: np.ndarray, rest: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Where a hand hides keys in ``rest``, (height, width), bool."""
    from scipy.ndimage import uniform_filter

    contrast = float(np.subtract(*np.percentile(expected, [95, 5])))
    spread = np.subtract(*np.percentile(pictures, [90, 10], axis=0)).astype(np.float32)
    darker = uniform_filter(expected - rest, _size(SMOOTH, 3, rest.shape)) > DARKER * contrast  # type: ignore[arg-type]
    moved = uniform_filter(spread, _size(SMOOTH, 3, rest.shape)) > MOVED * contrast  # type: ignore[arg-type]
    seen = darker & moved
    seen[round(FRONT * len(rest)) :] = False
    return _wide(seen)


def _wide(seen: np.ndarray) -> np.ndarray:
    """Of what was seen, (height, width), bool, the parts large enough for a hand, grown by a margin."""
    from scipy.ndimage import binary_dilation, binary_opening

    large = binary_opening(seen, np.ones(_size(LEAST, 2, seen.shape)))
    return binary_dilation(large, np.ones(_size(GROWN, 3, seen.shape)))


def _size(of: tuple[int, int], least: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a 100x900 picture in one of ``shape``."""
    height, width = shape
    return max(least, round(of[0] * height / 100)), max(least, round(of[1] * width / 900))
