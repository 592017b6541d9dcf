"""What one simulated recording looks like: piano, light, crop, skin, sleeves and the camera's own losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audeo_bench.keyboard import KEYBOARD_WIDTH, WHITE_LENGTH


@dataclass(frozen=True)
class Appearance:
    """The look of one recording; lengths in mm of the keyboard, brightness in grey levels of 0..255.

    The spread between two draws is meant to be the one between two videos of a serious channel: one kind of
    set-up (top view, a black piano), another day's light, camera position, crop and clothes. Levels were set
    beside the photographs of the MIDI test set of Koepke et al., "Sight to Sound" (ICASSP 2020): white keys
    between 185 and 225, black keys between 5 and 35, gaps a thin grey line.

    Attributes
    ----------
    camera : tuple of 3 floats
        Where the lens hangs: x, y and height above the keys.
    corners : np.ndarray, shape (4, 2)
        The points of the key plane seen in the picture's corners: top left, top right, bottom right, bottom
        left.
    light : tuple of 3 floats
        Unit vector towards the lamp.
    illumination : np.ndarray, shape (6,)
        Weights of 1, x, y, x², xy, y² (x, y in -1..1 over the picture).
    wear : np.ndarray, shape (88,)
        Reflectance of every key relative to a new one.
    sleeve_cuff : float
        How far along the hand, from the wrist towards the fingers, the sleeve reaches; negative is up the
        arm.
    lens_blur : float
        Standard deviation in pixels.
    quantiser : float
        Step of the 8x8 transform coder, in units of its orthonormal coefficients.
    """

    camera: tuple[float, float, float]
    corners: np.ndarray
    light: tuple[float, float, float]
    shadow_strength: float
    illumination: np.ndarray
    cast_shadow: tuple[float, float, float, float]
    white_level: float
    black_level: float
    gap_width: float
    gap_level: float
    wear: np.ndarray
    sheen: tuple[float, float, float]
    felt_level: float
    fallboard_level: float
    slip_level: float
    press_dimming: float
    skin_level: float
    hand_scale: float
    nail_contrast: float
    sleeve: str
    sleeve_level: float
    sleeve_cuff: float
    lens_blur: float
    shutter: float
    flicker: float
    shake: float
    sensor_noise: float
    quantiser: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Appearance:
        """Draw the look of one recording.

        Parameters
        ----------
        rng : np.random.Generator
            The only source of chance: equal generators give equal looks.
        """
        left, right = rng.uniform(-6, 4), KEYBOARD_WIDTH + rng.uniform(-4, 6)
        top, bottom = WHITE_LENGTH + rng.uniform(3, 11), -14 - 66 * rng.beta(1.4, 1.2)
        keystone, tilt = rng.normal(0, 3), rng.normal(0, 1.2)
        corners = np.array(
            [
                [left - keystone, top + tilt],
                [right + keystone, top - tilt],
                [right - keystone, bottom - tilt],
                [left + keystone, bottom + tilt],
            ]
        ) + rng.normal(0, 0.8, (4, 2))
        direction = np.array([rng.choice([-1, 1]) * rng.uniform(0.12, 0.45), rng.uniform(-0.1, 0.4), 1.0])
        direction /= np.sqrt((direction**2).sum())
        illumination = np.array([1.0, *rng.normal(0, [0.05, 0.035, 0.025, 0.015, 0.015])])
        sleeve = str(rng.choice(["bare", "white", "dark", "striped"], p=[0.3, 0.15, 0.35, 0.2]))
        sleeve_level = {"bare": 0.0, "white": 205.0, "dark": 36.0, "striped": 95.0}[sleeve]
        return cls(
            camera=(KEYBOARD_WIDTH / 2 + rng.normal(0, 60), rng.uniform(-20, 60), rng.uniform(1250, 1900)),
            corners=corners,
            light=(float(direction[0]), float(direction[1]), float(direction[2])),
            shadow_strength=rng.uniform(0.28, 0.5),
            illumination=illumination,
            # A large soft shadow, as a piano lid or the player casts: position, width, slope, depth.
            cast_shadow=(
                rng.uniform(0.05, 0.95),
                rng.uniform(0.02, 0.2),
                rng.uniform(-0.3, 0.3),
                rng.choice([0.0, 1.0]) * rng.choice([-1, 1]) * rng.uniform(0.04, 0.13),
            ),
            white_level=rng.uniform(190, 228),
            black_level=rng.uniform(16, 34),
            gap_width=rng.uniform(0.7, 1.3),
            gap_level=rng.uniform(40, 85),
            wear=1 + rng.normal(0, 0.009, 88),
            sheen=(rng.uniform(10, 45), rng.uniform(65, 120), rng.uniform(9, 26)),
            felt_level=rng.uniform(28, 75),
            fallboard_level=rng.uniform(12, 34),
            slip_level=rng.uniform(18, 60),
            press_dimming=rng.uniform(0.015, 0.03),
            skin_level=rng.uniform(112, 205),
            hand_scale=rng.uniform(0.92, 1.08),
            nail_contrast=rng.uniform(0.05, 0.16),
            sleeve=sleeve,
            sleeve_level=sleeve_level * rng.uniform(0.8, 1.15),
            sleeve_cuff=rng.uniform(8, 48),
            lens_blur=rng.uniform(0.45, 0.75),
            shutter=rng.uniform(0.3, 0.6),
            flicker=rng.uniform(0.001, 0.006),
            shake=rng.uniform(0.03, 0.16),
            sensor_noise=rng.uniform(2.0, 3.6),
            quantiser=rng.uniform(15, 28),
        )
