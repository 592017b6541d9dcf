"""Hands as the camera sees them: of true width, in one piece, in their place however oblique the view."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import label

from audeo_bench.corpus.simulated import anatomy
from audeo_bench.corpus.simulated.skin import film_hand
from audeo_bench.keyboard import KEYBOARD_WIDTH

ABOVE = np.array([611.0, 20.0, 1500.0])
BEFORE = 200.0
"""mm before the keys that these pictures show, so that whole hands are seen."""
BONES = (anatomy.ROOT, anatomy.FINGER, anatomy.TIP)
TIPS = np.array([[-50.0, 14, 8], [-24, 52, 9], [0, 58, 10], [23, 50, 9], [44, 28, 9]])


def still_hand(spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Tips (1, 2, 5, 3) and wrists (1, 2, 3) of two hands at rest, 300 mm apart."""
    tips, wrists = np.zeros((1, 2, 5, 3), np.float32), np.zeros((1, 2, 3), np.float32)
    for hand, side in ((0, -1.0), (1, 1.0)):
        tips[0, hand] = TIPS * [side * spread, 1, 1] + [611 + side * 150, 0, 0]
        wrists[0, hand] = [611 + side * 142, -115, 52]
    return tips, wrists


def look(level: float = 150, curl: float = 0.5, hard: float = 0.4) -> np.ndarray:
    return np.array([level, 0.05, 0, 0, 1.0, -1000.0, hard, 0.03, curl])


def picture(tips, wrists, hand=1, camera=ABOVE, light=(0.2, 0.1, 0.97), **kind):
    """Cover, grey levels and shadow of one hand in a picture of 1 mm by pixel."""
    homography = np.array([[1.0, 0, 0], [0, -1.0, 200], [0, 0, 1]])
    rows, columns = int(200 + BEFORE), int(KEYBOARD_WIDTH)
    cover, hands = np.zeros((2, rows, columns), np.float32)
    shadow = np.zeros((rows // 2 + 1, columns // 2 + 1), np.float32)
    buffers = np.zeros((3, rows, columns), np.float32)
    parts = np.zeros((anatomy.EXPOSURES, anatomy.CAPSULES, 15))
    exposures, count = anatomy.pose(0, hand, tips, wrists, look(**kind), 0.5, parts)
    box = film_hand(
        *(parts, exposures, count, np.array(camera), homography, np.array(light), look(**kind)),
        *(cover, hands, shadow, buffers),
    )
    assert not buffers.any(), "scratch is left clean"
    return cover, hands, shadow, box


def capsules(tips, wrists, hand=1, **kind) -> np.ndarray:
    parts = np.zeros((anatomy.CAPSULES, 15))
    tip, wrist = tips[0, hand].astype(float), wrists[0, hand].astype(float)
    count = anatomy._pose(tip, wrist, 1.0 if hand else -1.0, look(**kind), parts)
    return parts[:count]


def test_fingers_are_as_wide_as_real_ones():
    """An adult's index finger is 16 to 18 mm wide at its outer joint, a thumb 20 to 22 at its nail."""
    tips, wrists = still_hand(spread=1.5)
    parts = capsules(tips, wrists)
    ends = parts[parts[:, 8] == anatomy.TIP]
    assert len(ends) == 5
    thumb, index = 2 * ends[0, [3, 7]].mean(), 2 * ends[1, [3, 7]].mean()
    assert 20 <= thumb <= 22 and 16 <= index <= 18
    # As it is drawn: across the tip of the index finger.
    cover, *_ = picture(tips, wrists)
    x, y = tips[0, 1, 1, :2]
    across = cover[int(200 - y) + 2, int(x) - 16 : int(x) + 16].sum()
    assert 14 <= across <= 20


@pytest.mark.parametrize("curl", [0.0, 1.0])
@pytest.mark.parametrize("spread", [0.6, 1.0, 1.7])
def test_a_hand_is_in_one_piece(curl, spread):
    tips, wrists = still_hand(spread)
    for hand in (0, 1):
        cover, *_ = picture(tips, wrists, hand, curl=curl)
        assert label(cover > 0.5)[1] == 1


def test_bones_follow_each_other_and_end_at_the_fingertips():
    tips, wrists = still_hand()
    parts = capsules(tips, wrists)
    fingers = parts[np.isin(parts[:, 8], BONES)].reshape(5, 3, 15)
    for bones, tip in zip(fingers, tips[0, 1], strict=True):
        for one, other in pairwise(bones):
            np.testing.assert_allclose(one[4:7], other[:3])
        np.testing.assert_allclose(bones[2, 4:6], tip[:2])
        assert 0 < bones[2, 6] - tip[2] < 12


@pytest.mark.parametrize("curl", [0.0, 0.5, 1.0])
def test_bones_keep_their_lengths_and_the_thumb_lies_below_the_palm(curl):
    tips, wrists = still_hand()
    parts = capsules(tips, wrists, curl=curl)
    fingers = parts[np.isin(parts[:, 8], BONES)].reshape(5, 3, 15)
    middle = np.linalg.norm(fingers[2, :, 4:7] - fingers[2, :, :3], axis=1)
    np.testing.assert_allclose(middle, anatomy._BONES * anatomy._LENGTH[2], atol=3.5)
    assert fingers[0, :, [2, 6]].max() < fingers[1:, 0, 2].min() + 8


def test_curled_fingers_are_foreshortened():
    """Seen from above, knuckles stand closer to the fingertips than the finger is long."""
    tips, wrists = still_hand()
    seen = {}
    for curl in (0.0, 1.0):
        parts = capsules(tips, wrists, curl=curl)
        bones = parts[np.isin(parts[:, 8], BONES)].reshape(5, 3, 15)[2]
        seen[curl] = np.linalg.norm(bones[2, 4:6] - bones[0, :2])
    assert seen[1.0] < 62 < seen[0.0] < anatomy._LENGTH[2]


@pytest.mark.parametrize(
    "camera", [(611, 20, 1500), (11, -350, 700), (1211, 300, 700), (611, 900, 700), (1211, 900, 900)]
)
def test_capsules_stand_where_a_pinhole_camera_sees_them(camera):
    """Drawn against points all over the capsules' surfaces, each projected by itself."""
    tips, wrists = still_hand()
    camera = np.array(camera, float)
    rng = np.random.default_rng(0)
    balls = rng.normal(size=(4000, 3))
    balls /= np.linalg.norm(balls, axis=1, keepdims=True)
    share = rng.random((4000, 1))
    expected = np.zeros((int(200 + BEFORE), int(KEYBOARD_WIDTH)), bool)
    for part in capsules(tips, wrists):
        points = part[:3] + share * (part[4:7] - part[:3]) + (part[3] + share * (part[7] - part[3])) * balls
        spread = 1 / (1 - points[:, 2:] / camera[2])
        x, y = (camera[:2] + (points[:, :2] - camera[:2]) * spread).T
        inside = (x > 0) & (x < expected.shape[1]) & (y < 200) & (y > -BEFORE)
        expected[(200 - y[inside]).astype(int), x[inside].astype(int)] = True
    cover, *_ = picture(tips, wrists, camera=camera)
    # The forearm leaves the picture; the hand is what counts.
    drawn, wanted = cover[:300] > 0.5, expected[:300]
    filled = label(~wanted)[0] != label(~wanted)[0][0, 0]
    both = (drawn & filled).sum() / (drawn | filled).sum()
    assert both > 0.9, both


def test_light_is_soft_or_hard_and_skin_as_bright_as_asked():
    tips, wrists = still_hand()
    contrast = {}
    for hard in (0.1, 0.75):
        cover, hands, _, box = picture(tips, wrists, level=200, hard=hard)
        skin_levels = hands[cover > 0.99]
        contrast[hard] = np.std(skin_levels) / np.mean(skin_levels)
        assert 90 < np.median(skin_levels) < 210
        top, bottom, left, right = box
        outside = cover.copy()
        outside[top:bottom, left:right] = 0
        assert not outside.any()
    assert contrast[0.1] < 0.8 * contrast[0.75]
    half, _ = (picture(tips, wrists, level=level)[1].sum() for level in (100, 200))
    assert picture(tips, wrists, level=200)[1].sum() == pytest.approx(2 * half, rel=1e-4)
