"""The simulated camera: what may change in a picture, and what must not."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.corpus.simulated.appearance import CORNERS, Appearance, beside
from audeo_bench.corpus.simulated.camera import SimulatedFrames, film, key_depths
from audeo_bench.corpus.simulated.codec import COSINES, code
from audeo_bench.corpus.simulated.hands import HandTracks
from audeo_bench.corpus.simulated.optics import plane_to_picture
from audeo_bench.keyboard import IS_BLACK, KEY_X
from audeo_bench.roll import LOWEST_PITCH, Notes, notes_to_roll
from studies.visibility import exercise, measure

FRAMES = 60


def hands_at(centre: float, frames: int = FRAMES, away: float = 0.0) -> HandTracks:
    """Two still hands whose middle fingers are 300 mm apart; ``away`` moves them towards the player."""
    tips = np.zeros((frames, 2, 5, 3), np.float32)
    wrists = np.zeros((frames, 2, 3), np.float32)
    for hand, side in ((0, -1), (1, 1)):
        tips[:, hand, :, 0] = centre + side * (150 + np.array([-50.0, -23.0, 0.0, 21.0, 43.0]))
        tips[:, hand, :, 1] = np.array([28.0, 52.0, 60.0, 55.0, 38.0]) - away
        tips[:, hand, :, 2] = 10
        wrists[:, hand] = [centre + side * 145, -100 - away, 52]
    return HandTracks(tips, wrists, np.zeros(0, np.int8))


def notes_of(*rows: tuple[float, float, int, int]) -> Notes:
    table = np.array(rows, float).reshape(-1, 4)
    return Notes(table[:, :2], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


@pytest.fixture(scope="module")
def recording() -> SimulatedFrames:
    rng = np.random.default_rng(1)
    tracks = hands_at(600)
    tracks.fingertips[:, :, :, :2] += 14 * np.cumsum(rng.normal(0, 1, (FRAMES, 1, 1, 2)), 0).astype(
        np.float32
    )
    return film(notes_of((0.4, 1.0, 60, 80), (0.8, 2.0, 61, 50)), tracks, Appearance.draw(rng), 7, FRAMES)


@pytest.fixture(scope="module")
def whole(recording: SimulatedFrames) -> np.ndarray:
    return recording[0:FRAMES]


@settings(max_examples=15, deadline=None)
@given(start=st.integers(-3, FRAMES), length=st.integers(0, 9))
def test_a_frame_is_the_same_in_every_slice(
    recording: SimulatedFrames, whole: np.ndarray, start: int, length: int
) -> None:
    window = slice(start, start + length)
    assert np.array_equal(recording[window], whole[window])


def test_equal_recordings_have_equal_pixels_and_seeds_differ(recording: SimulatedFrames) -> None:
    copy = pickle.loads(pickle.dumps(recording))
    assert np.array_equal(copy[20:24], recording[20:24])
    assert not np.array_equal(replace(recording, seed=8)[20:24], recording[20:24])


def test_frames_are_what_the_contract_says(recording: SimulatedFrames) -> None:
    assert recording.shape == (FRAMES, 100, 900) and len(recording) == FRAMES
    assert recording[3:5].dtype == np.uint8 and recording[3:5].shape == (2, 100, 900)
    assert recording[5:5].shape == (0, 100, 900)
    with pytest.raises(ValueError, match="step 1"):
        recording[::2]
    with pytest.raises(ValueError, match="hand tracks of 60"):
        film(recording.notes, recording.tracks, recording.appearance, 0, FRAMES + 1)


def test_looks_differ_and_repeat() -> None:
    first, again, other = (Appearance.draw(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.camera == again.camera and np.array_equal(first.wear, again.wear)
    assert first.camera != other.camera


NO_STRIP, NO_BURST = (0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def clean() -> Appearance:
    """A plain view without noise, codec or shake: what is left is the scene."""
    look = Appearance.draw(np.random.default_rng(5))
    return replace(
        look,
        camera=(650.0, 40.0, 1500.0),
        white_level=210.0,
        black_level=25.0,
        light=(0.2, 0.1, 0.97),
        ambient=0.4,
        press_dimming=0.03,
        strip=NO_STRIP,
        burst=NO_BURST,
        gamma=1.0,
        gain=1.0,
        lens_blur=0.6,
        sharpening=0.0,
        film_scale=(1.0, 1.0),
        film_rate=25.0,
        sensor_noise=0.0,
        quantiser=0.01,
        shake=0.0,
        flicker=0.0,
    )


@pytest.mark.parametrize("pitch", [21, 40, 60, 61, 75, 106, 108])
def test_a_pressed_key_changes_its_own_place_alone(clean: Appearance, pitch: int) -> None:
    seen = film(notes_of((0.4, 1.2, pitch, 80)), hands_at(600, away=2000), clean, 0, FRAMES)
    change = np.abs(seen[20:21][0].astype(int) - seen[2:3][0])
    key = pitch - LOWEST_PITCH
    middle = plane_to_picture(clean) @ [KEY_X[key], 75, 1]
    near = np.abs(np.arange(900) + 0.5 - middle[0] / middle[2]) < 28
    assert change[:, near].max() >= 4
    assert change[:, ~near].max() <= 1
    assert np.array_equal(seen[45:46], seen[2:3]), "released keys come back up"


def test_a_pressed_white_key_lies_in_a_pit(clean: Appearance) -> None:
    """Its top darkens, most of all between black keys; where a flank comes into sight it is dark."""
    seen = film(notes_of((0.4, 1.2, 62, 80)), hands_at(600, away=2000), clean, 0, FRAMES)
    change = seen[20:21][0].astype(int) - seen[2:3][0]
    place = plane_to_picture(clean)
    (left, far), (right, near) = (
        (point[:2] / point[2]).round().astype(int)
        for point in (place @ [KEY_X[41] - 12, 135, 1], place @ [KEY_X[41] + 12, 70, 1])
    )
    trough = change[far:near, left:right].mean(0)
    assert trough.min() < -12
    front = place @ [KEY_X[41], 25, 1]
    column, row = (front[:2] / front[2]).astype(int)
    assert -20 <= change[row - 2 : row + 3, column - 2 : column + 3].mean() <= -2


def test_light_over_a_played_key_comes_and_goes_with_it(clean: Appearance) -> None:
    lit = replace(clean, strip=(120.0, 5.0), burst=(100.0, 152.0, 12.0, 20.0))
    notes = notes_of((0.4, 1.2, 62, 80))
    plain, seen = (film(notes, hands_at(600, away=2000), look, 0, FRAMES) for look in (clean, lit))
    strip, burst = (seen[at : at + 1][0].astype(int) - plain[at : at + 1][0] for at in (2, 20))
    place = plane_to_picture(clean) @ [KEY_X[41], 150, 1]
    column, row = (place[:2] / place[2]).astype(int)
    assert strip[row].min() > 60 and abs(strip[row + 15 :]).max() <= 1
    assert (burst - strip)[row + 3, column] > 50
    assert abs(burst - strip)[:, : column - 60].max() <= 1


def test_marks_hold_every_key_within_a_third_of_its_place() -> None:
    looks = [Appearance.draw(np.random.default_rng(seed)) for seed in range(100)]
    assert max(beside(look.marks) for look in looks) < 23.5 / 3
    assert min(beside(look.marks) for look in looks) > 0
    # One end taller than the other: the marks of wtc2-03 in the world's version 2.
    assert beside(CORNERS + np.array([[0, 8], [0, -7], [0, 7], [0, -8]])) > 23.5


def test_true_marks_show_what_the_warp_of_a_film_shows(clean: Appearance) -> None:
    corners = np.array([[0, 150], [52 * 23.5, 150], [52 * 23.5, 0], [0, 0]])
    place = plane_to_picture(replace(clean, marks=corners))
    for (x, y), (column, row) in (((0, 157), (0, 0)), ((1222, 157), (900, 0)), ((1222, -50), (900, 100))):
        np.testing.assert_allclose((found := place @ [x, y, 1])[:2] / found[2], [column, row], atol=1e-6)


def test_what_the_film_does_not_show_is_black_and_what_it_repeats_is_equal(clean: Appearance) -> None:
    look = replace(clean, seen=(200.0, 1e6), film_rate=20.0, sensor_noise=3.0, quantiser=4.0, skips=False)
    seen = film(notes_of((0.4, 1.0, 60, 80)), hands_at(600), look, 0, FRAMES)[0:FRAMES]
    assert not seen[:, :, :140].any() and seen[:, :60, 150:].any()
    repeated = [bool((seen[at] == seen[at - 1]).all()) for at in range(1, 31)]
    assert sum(repeated) == 6, "25 frames a second of a film that has 20"
    alone = film(notes_of((0.4, 1.0, 60, 80)), hands_at(600), look, 0, FRAMES)
    assert np.array_equal(np.concatenate([alone[at : at + 1] for at in range(20, 30)]), seen[20:30])


def test_idle_blocks_stay_as_they_are(clean: Appearance) -> None:
    look = replace(clean, sensor_noise=3.0, quantiser=12.0, skips=True, key_frames=100)
    seen = film(notes_of((1.0, 2.0, 21, 80)), hands_at(900), look, 0, FRAMES)[2:12]
    assert np.array_equal(seen[0, :, 300:500], seen[9, :, 300:500]), "noise comes before the codec alone"


def test_hands_hide_keys_and_cast_shadows(clean: Appearance) -> None:
    silent = notes_of((2.0, 2.1, 21, 60))
    bare = film(silent, hands_at(600, away=2000), clean, 0, FRAMES)[5:6][0].astype(int)
    played = film(silent, hands_at(600), clean, 0, FRAMES)[5:6][0].astype(int)
    changed = np.abs(played - bare) > 2
    share = changed.mean()
    assert 0.04 < share < 0.3
    assert not changed[:, :150].any() and not changed[:, 800:].any()


def test_a_hovering_finger_is_no_pressed_key(clean: Appearance) -> None:
    """With and without the note the same hand differs at the pressed key alone."""
    tracks = hands_at(600)
    played = film(notes_of((0.4, 1.4, 68, 80)), tracks, clean, 0, FRAMES)[20:21][0].astype(int)
    hover = film(notes_of((2.2, 2.3, 68, 80)), tracks, clean, 0, FRAMES)[20:21][0].astype(int)
    changed = np.flatnonzero((np.abs(played - hover) > 1).any(0))
    assert len(changed) > 0 and changed.max() - changed.min() < 56


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.floats(0.1, 3), st.floats(0.15, 1), st.integers(21, 108), st.integers(1, 127)),
        min_size=1,
        max_size=8,
    )
)
def test_depths_agree_with_the_roll(rows: list[tuple[float, float, int, int]]) -> None:
    """Keys are down in the middle of their notes, up well away from them."""
    notes = notes_of(*[(start, start + length, pitch, velocity) for start, length, pitch, velocity in rows])
    depths = key_depths(notes, 110)
    roll = notes_to_roll(notes, 110).T
    assert depths.shape == (110, 88) and depths.min() >= 0 and depths.max() <= 1
    near = roll.copy()
    for shift in (1, 2, 3):
        near[shift:] |= roll[:-shift]
        near[:-shift] |= roll[shift:]
    assert (depths[~near] == 0).all()
    for start, length, pitch, _ in rows:
        assert depths[int((start + length / 2) * 25), pitch - LOWEST_PITCH] > 0.75


def test_loud_keys_fall_faster_and_release_takes_60_ms() -> None:
    soft, loud = (key_depths(notes_of((1.03, 2.0, 60, velocity)), 60)[25, 39] for velocity in (10, 120))
    assert soft > loud, "a soft key must start earlier to sound at the same time"
    depth = key_depths(notes_of((1.0, 2.0, 60, 80)), 60)[:, 39]
    assert depth[40] == 1 and 0 < depth[50] < 1 and depth[52] == 0


def test_the_codec_skips_idle_blocks_and_loses_a_bounded_amount() -> None:
    rng = np.random.default_rng(0)
    reference = rng.uniform(0, 255, (16, 24)).astype(np.float32)
    noise = np.zeros(16 * 24, np.float32)
    busy = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)
    picture = reference + rng.normal(0, 20, reference.shape).astype(np.float32)
    decoded = picture.copy()
    code(decoded, reference, busy, noise, np.float32(0), 12.0, COSINES)
    assert np.array_equal(decoded[:8, 8:16], reference[:8, 8:16])
    error = (decoded - picture)[:8, :8]
    # An orthonormal transform keeps squared errors; none exceeds 0.78 of the coarsest step.
    assert 1 < np.sqrt((error**2).mean()) < 0.78 * 12 * 1.91
    fine = picture.copy()
    code(fine, reference, np.ones_like(busy), noise, np.float32(0), 1e-3, COSINES)
    assert np.abs(fine - picture).max() < 0.05


def test_the_task_is_neither_trivial_nor_hopeless() -> None:
    rngs = [np.random.default_rng(seed) for seed in (0, 3, 4)]
    found = [measure(Appearance.draw(rng), rng, 6) for rng in rngs]
    assert {bool(IS_BLACK[one.key]) for each in found for one in each} == {True, False}
    medians = [np.median([one.d_prime for one in each]) for each in found]
    assert 2.5 < min(medians) < 60 and max(medians) < 400
    assert len(exercise(rngs[0], 10.0)) > 20
