"""The keyboard is found whichever way the film shows it, and said to be missing where it is."""

import csv
import json

import cv2
import numpy as np
import pytest
from shared_data import SHARED, needs
from typer.testing import CliRunner
from views import LEVEL, mirrored, turned, view

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.film.finding import keyboard_in_film
from audeo_bench.keyboard import IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH
from audeo_bench.keyboard.finding import SURE, find_keyboard

FROM_THE_LEFT = np.array([[60.0, 130.0], [560.0, 165.0], [575.0, 215.0], [40.0, 215.0]])
RECORDED = SHARED / "recorded"


def misses(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """How far every corner is off, in thirds of a white key's width."""
    white = (np.linalg.norm(true[0] - true[1]) + np.linalg.norm(true[3] - true[2])) / 104
    return np.linalg.norm(found - true, axis=1) / white * 3


@pytest.mark.parametrize(
    "corners",
    [
        LEVEL,
        turned(LEVEL, 180),
        turned(LEVEL, 13),
        turned(LEVEL, -160),
        FROM_THE_LEFT,
        turned(FROM_THE_LEFT, 172),
        mirrored(FROM_THE_LEFT)[[1, 0, 3, 2]],
        FROM_THE_LEFT * 0.6 + [270, 90],
    ],
    ids=["level", "upside down", "tilted", "tilted upside down", "left", "opposite", "right", "small"],
)
def test_whole_keyboards(corners):
    found = find_keyboard(view(corners))
    assert misses(found.corners, corners).max() < 1
    assert (found.lowest_key, found.highest_key) == (21, 108)
    assert found.confidence > SURE
    assert found.remark == ""


def test_a_mirrored_film_is_told_by_its_ends():
    """The rhythm is the same read backwards; only A0 has one white key before its first black one."""
    corners = mirrored(LEVEL + np.array([[0, 0], [0, 0], [10, 0], [-10, 0]]))
    found = find_keyboard(view(corners))
    assert misses(found.corners, corners).max() < 1
    assert found.remark == "the film is mirrored"


def test_two_keys_outside_of_the_picture():
    corners = LEVEL + np.array([-45, 0])
    found = find_keyboard(view(corners))
    assert (found.lowest_key, found.highest_key) == (21, 108)
    assert misses(found.corners, corners).max() < 1
    assert found.corners[0, 0] < 0


def test_part_of_a_keyboard_keeps_its_keys_and_asks_for_the_octave():
    """From the middle of an E to a bit of a B, four octaves up."""
    scale = 640 / (32 * 23.5)
    left = -(11 + 0.4) * 23.5 * scale
    width, depth = 52 * 23.5 * scale, 150 * scale
    corners = np.array([[left, 100], [left + width, 100], [left + width, 100 + depth], [left, 100 + depth]])
    # Not every look shows where a key that is cut in two begins: of six, two lose it.
    picture = view(corners, seed=2)
    found = find_keyboard(picture)
    assert found.lowest_key % 12 == 4
    assert found.highest_key - found.lowest_key == 54 - 1
    assert "octave is a guess" in found.remark
    assert found.confidence < SURE
    told = find_keyboard(picture, lowest_key=40)
    assert (told.lowest_key, told.highest_key, told.remark) == (40, 93, "")
    np.testing.assert_allclose(told.corners, found.corners)
    with pytest.raises(AudeoBenchError, match="lowest key"):
        find_keyboard(picture, lowest_key=100)


def test_runner_up_is_another_answer():
    found = find_keyboard(view(LEVEL))
    other = found.runner_up
    assert other is not None
    assert other.confidence < found.confidence
    assert (other.lowest_key, other.highest_key) != (21, 108) or misses(
        other.corners, found.corners
    ).max() > 1


def stripes() -> np.ndarray:
    """As many dark bars as a keyboard has, evenly spaced."""
    picture = np.full((360, 640), 200, np.uint8)
    for x in range(20, 620, 17):
        picture[120:200, x : x + 7] = 20
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        np.full((360, 640), 128, np.uint8),
        np.random.default_rng(0).integers(0, 255, (360, 640), np.uint8),
        stripes(),
    ],
    ids=["grey", "noise", "even bars"],
)
def test_no_keyboard_is_said(picture):
    with pytest.raises(AudeoBenchError, match="no keyboard found"):
        find_keyboard(picture)


def test_a_drawn_keyboard_is_said():
    """As programs show one under falling notes: every key like every other."""
    picture = np.full((360, 640), 30, np.uint8)
    scale = 640 / KEYBOARD_WIDTH
    for key in np.argsort(IS_BLACK, kind="stable"):
        half, end = (6.0, 320) if IS_BLACK[key] else (WHITE_WIDTH / 2 - 1, 359)
        left, right = round((KEY_X[key] - half) * scale), round((KEY_X[key] + half) * scale)
        picture[250:end, left:right] = 20 if IS_BLACK[key] else 250
    with pytest.raises(AudeoBenchError, match="drawn"):
        find_keyboard(picture)


def test_colour_and_size_do_not_matter():
    grey = cv2.resize(view(LEVEL), (1280, 720), interpolation=cv2.INTER_CUBIC)
    warm = np.stack([grey, grey // 2, grey // 4], -1)
    found = find_keyboard(warm)
    assert misses(found.corners, (LEVEL + 0.5) * 2 - 0.5).max() < 1


def test_the_command_shows_what_was_found(tmp_path):
    picture = tmp_path / "view.png"
    cv2.imwrite(str(picture), view(LEVEL))
    drawn = tmp_path / "found.png"
    result = CliRunner().invoke(app, ["keyboard", str(picture), "--json", "--picture", str(drawn)])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert misses(np.array(answer["corners"]), LEVEL).max() < 1
    assert (answer["lowest_key"], answer["highest_key"]) == (21, 108)
    assert answer["confidence"] > SURE
    assert {"corners", "lowest_key", "confidence"} <= set(answer["runner_up"])
    assert cv2.imread(str(drawn)).shape == (540, 960, 3)
    plain = CliRunner().invoke(app, ["keyboard", str(picture)])
    assert "A0 to C8" in plain.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.png"], "missing.png"),
        (["grey.png"], "grey.png: no keyboard found"),
        (["grey.png", "--lowest-key", "H2"], "--lowest-key H2"),
        (["grey.png", "--lowest-key", "C9"], "--lowest-key C9"),
        (["grey.png", "--picture", "out.txt"], "out.txt"),
    ],
)
def test_the_command_refuses_in_one_line(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("grey.png", np.full((90, 160), 99, np.uint8))
    result = CliRunner().invoke(app, ["keyboard", *arguments])
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert words in line


def films() -> list[dict[str, str]]:
    """A few films of each view, and every other keyboard but the longest."""
    found = []
    for folder, chosen in (("akbari", ("V1.", "V2.", "+45/1", "-45/2")), ("keyboards", ("gimme", "stan"))):
        table = RECORDED / folder / "measured.csv"
        if table.is_file():
            with table.open() as file:
                rows = [dict(row, path=str(RECORDED / folder / row["video"])) for row in csv.DictReader(file)]
            for part in chosen:
                found += [row for row in rows if part in row["video"]][:1]
    return found


@needs("recorded")
@pytest.mark.parametrize("row", films(), ids=lambda row: row["video"])
def test_real_films(row):
    names = ("a0_far", "c8_far", "c8_near", "a0_near")
    true = np.array([[float(row[f"{name}_x"]), float(row[f"{name}_y"])] for name in names])
    found, _ = keyboard_in_film(row["path"], samples=8)
    assert (found.lowest_key, found.highest_key) == (21, 108)
    # Measured by hand and by a template, to about a sixth of a key.
    assert misses(found.corners, true).max() < 1.3
    assert found.confidence > SURE
