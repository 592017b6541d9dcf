"""Four corners and the picture that they stand for."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError
from audeo_bench.keyboard import KEYBOARD_WIDTH, WHITE_LENGTH
from audeo_bench.keyboard.warp import homography, key_edges, plane_to_film, project, whole_keyboard

LEVEL = np.array([[100.0, 200.0], [1000.0, 200.0], [1000.0, 310.0], [100.0, 310.0]])


@st.composite
def views(draw) -> np.ndarray:
    """Corners of a keyboard seen level, tilted, upside down, mirrored or with perspective."""
    bend = draw(st.lists(st.floats(-25, 25), min_size=8, max_size=8))
    angle = np.radians(draw(st.floats(0, 360)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = np.array([draw(st.sampled_from([-1, 1])), 1])
    return (LEVEL + np.reshape(bend, (4, 2))) * mirror @ turn.T


@given(views())
def test_corners_of_the_keys_come_from_the_corners_given(corners):
    """7 mm behind the keys and 50 before them of 207 in all are 100 rows."""
    far, near = np.array([7, 157]) / 207 * FRAME_HEIGHT - 0.5
    picture = np.array([[-0.5, far], [FRAME_WIDTH - 0.5, far], [FRAME_WIDTH - 0.5, near], [-0.5, near]])
    np.testing.assert_allclose(project(homography(corners), picture), corners, atol=1e-6)


@given(views(), st.integers(9, 2000), st.integers(9, 300), st.floats(0, 40), st.floats(0, 80))
def test_homography_and_its_inverse(corners, width, height, behind, before):
    matrix = homography(corners, width, height, behind, before)
    pixels = np.random.default_rng(1).uniform(0, [width, height], (20, 2))
    np.testing.assert_allclose(project(np.linalg.inv(matrix), project(matrix, pixels)), pixels, atol=1e-4)
    assert matrix[2, 2] == 1


@given(views(), st.integers(21, 60), st.integers(70, 108))
def test_part_of_a_keyboard_lies_on_the_same_plane(corners, lowest, highest):
    left, right = key_edges(lowest)[0], key_edges(highest)[1]
    plane = np.array([[left, WHITE_LENGTH], [right, WHITE_LENGTH], [right, 0], [left, 0]])
    part = project(plane_to_film(corners), plane)
    np.testing.assert_allclose(whole_keyboard(part, lowest, highest), corners, atol=1e-4)


def test_an_upside_down_keyboard_is_shown_upright():
    """White keys, one dark spot at A0's far end, filmed from the opposite side."""
    film = np.full((400, 1100), 200, np.uint8)
    film[200:310, 100:1000] = 255
    film[295:310, 985:1000] = 0
    upside_down = LEVEL[[2, 3, 0, 1]]
    picture = cv2.warpPerspective(
        film,
        homography(upside_down),
        (FRAME_WIDTH, FRAME_HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    assert picture[5:12, 1:14].max() == 0
    assert picture[5:75, 20:-1].min() == 255
    assert picture[80:].max() == 200


def test_edges_of_keys():
    assert key_edges(21) == (0, 23.5)
    assert key_edges(22) == (23.5 / 2, 23.5 * 1.5)
    assert key_edges(108)[1] == KEYBOARD_WIDTH


@pytest.mark.parametrize(
    "corners",
    [LEVEL[:3], LEVEL[[0, 2, 1, 3]], np.full((4, 2), np.nan), np.zeros((4, 2)), LEVEL * [1, 0]],
    ids=["three", "crossed", "not a number", "one point", "a line"],
)
def test_corners_round_no_area_are_refused(corners):
    with pytest.raises(AudeoBenchError, match=r"corners .*give (four|A0 far)"):
        homography(corners)
