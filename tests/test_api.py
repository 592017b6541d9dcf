"""What a contestant may ask for beside the frames."""

import numpy as np

from audeo_bench.api import idle_keyboard


def test_the_idle_keyboard_has_no_hands():
    keyboard = np.random.default_rng(0).integers(0, 255, (100, 900), dtype=np.uint8)
    frames = np.repeat(keyboard[None], 300, 0)
    for number, frame in enumerate(frames):  # a hand that wanders over the keys, 100 columns wide
        frame[:, 3 * (number % 260) : 3 * (number % 260) + 100] = 30
    np.testing.assert_array_equal(idle_keyboard(frames), keyboard)


def test_one_frame_is_its_own_idle_keyboard():
    frames = np.full((1, 100, 900), 7, np.uint8)
    np.testing.assert_array_equal(idle_keyboard(frames), frames[0])
