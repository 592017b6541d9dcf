"""The keyboard is found where it is."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from shared_data import SHARED, needs

from audeo_bench.corpus.crop import LEAST_FIT, draw_crop, find_crop, keyboard_in, whole_picture
from audeo_bench.film.writing import write_video
from audeo_bench.keyboard import IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH

PHOTOGRAPHS = SHARED / "miditest" / "miditest_videos"


def keyboard(width: int, height: int) -> np.ndarray:
    """A drawn keyboard: white keys with gaps, black keys over the far 63 %."""
    x = (np.arange(width) + 0.5) / width * KEYBOARD_WIDTH
    whites = np.where(np.abs((x + WHITE_WIDTH / 2) % WHITE_WIDTH - WHITE_WIDTH / 2) < 0.8, 60, 205)
    picture = np.repeat(whites[None], height, 0)
    black = np.abs(x[:, None] - KEY_X[IS_BLACK]).min(1) < 5.5
    picture[: round(0.63 * height), black] = 25
    return picture.astype(np.uint8)


@pytest.mark.parametrize(
    ("left", "top", "width", "height"), [(60, 350, 1150, 130), (300, 100, 700, 90), (0, 500, 1280, 140)]
)
def test_a_keyboard_is_found_in_a_room(left: int, top: int, width: int, height: int) -> None:
    rng = np.random.default_rng(3)
    room = np.clip(np.linspace(30, 120, 720)[:, None] + rng.normal(0, 8, (720, 1280)), 0, 255).astype(
        np.uint8
    )
    room[top - 20 : top] = 20  # the fallboard
    room[top : top + height, left : left + width] = keyboard(width, height)
    room[top + height : top + height + 30] = 35
    found = keyboard_in(room)
    assert found.fit > 0.7
    wanted = (left, top, left + width, top + height)
    assert np.abs(np.subtract(found.keys, wanted)).max() <= 0.012 * 1280
    assert found.crop[1] <= found.keys[1] < found.keys[3] < found.crop[3] <= 720


def test_stripes_and_noise_are_no_keyboard() -> None:
    rng = np.random.default_rng(0)
    assert keyboard_in(rng.integers(0, 255, (540, 960), dtype=np.uint8)).fit < LEAST_FIT
    stripes = (200 * (np.indices((540, 960))[1] % 23 < 8)).astype(np.uint8)
    assert keyboard_in(stripes).fit < LEAST_FIT


def test_hands_that_move_are_seen_past(tmp_path: Path) -> None:
    frames = np.full((40, 300, 1000), 40, np.uint8)
    frames[:, 120:220, 40:960] = keyboard(920, 100)
    for index in range(40):
        frames[index, 150:290, 20 * index : 20 * index + 160] = 150
    write_video(tmp_path / "played.mp4", frames)
    found, picture = find_crop(tmp_path / "played.mp4")
    assert picture.shape == (300, 1000)
    assert np.abs(np.subtract(found.keys[::2], (40, 960))).max() <= 12
    draw_crop(picture, found, tmp_path / "crop.png")
    with av.open(str(tmp_path / "crop.png")) as container:
        colours = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert ((colours[..., 0] - colours[..., 2]) > 100).sum() > 500  # the red frame


def test_a_crop_is_taken_as_it_is(tmp_path: Path) -> None:
    assert whole_picture((100, 900))
    assert not whole_picture((1080, 1920))
    write_video(tmp_path / "crop.mp4", np.full((5, 100, 900), 120, np.uint8))
    assert find_crop(tmp_path / "crop.mp4")[0].crop == (0, 0, 900, 100)


@needs("miditest")
def test_real_pianos_are_found_in_photographs() -> None:
    """Eight photographs of Koepke et al. (CC BY 4.0), whose key borders were marked by hand."""
    for borders in sorted((PHOTOGRAPHS / "borders").glob("*.json")):
        marked = json.loads(borders.read_text())
        with av.open(str(PHOTOGRAPHS / "no_hand_frames" / borders.stem / "im.jpg")) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="gray")
        found = keyboard_in(picture)
        places = marked["white_keys_locations"]
        wanted = (places[0][0], marked["top_border"], places[-1][1], marked["bottom_border"])
        error = np.abs(np.subtract(found.keys, wanted)) / picture.shape[1]
        assert error.max() <= 0.012, (borders.stem, found, wanted)
