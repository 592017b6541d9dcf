"""What one simulated recording looks like: piano, light, camera, skin, sleeves and the film's own losses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audeo_bench.corpus.simulated.lap import Lap
from audeo_bench.keyboard import KEYBOARD_WIDTH, WHITE_LENGTH, WHITE_WIDTH
from audeo_bench.keyboard.warp import CORNERS, worst_key

_BESIDE = WHITE_WIDTH / 3
"""How far beside its place in the picture a key may stand at most."""


@dataclass(frozen=True)
class Appearance:
    """The look of one recording; lengths in mm of the keyboard, brightness in grey levels of 0..255.

    The spread between two draws is meant to be wider than the one between two real films: what is drawn here
    is trained on, and real pianos, rooms and cameras must lie inside it.

    Attributes
    ----------
    camera : tuple of 3 floats
        Where the lens hangs: x, y and height above the keys. The picture is warped on the key plane, so that
        it decides on parallax alone: which way black keys, flanks and hands lean.
    marks : np.ndarray, shape (4, 2)
        Where the corners of the keys were thought to be when the film was warped: A0 far, C8 far, C8 near, A0
        near. With the true ones the picture is :func:`.warp.homography`'s.
    seen : tuple of 2 floats
        Left and right end of what the film shows of the key plane; the picture is black beyond.
    light : tuple of 3 floats
        Unit vector towards the lamp.
    ambient : float
        Share of the light that comes from everywhere, so that walls beside a key darken it without a shadow.
    illumination : np.ndarray, shape (6,)
        Weights of 1, x, y, x², xy, y² (x, y in -1..1 over the picture).
    cast_shadow : tuple of 4 floats
        A large soft shadow or light: position, width, slope, depth.
    flank_level : float
        The side of a white key, seen beside a sunk neighbour, relative to its top.
    wear : np.ndarray, shape (88,)
        Reflectance of every key relative to a new one.
    sheen : tuple of 3 floats
        A black key's reflection of the lamp: strength, place along the key, length.
    face_level : float
        The front of a white key relative to its top.
    slip : tuple of 3 floats
        The key slip before the keys: level, distance from the keys, how far it lies below their tops.
    press_dimming : float
        Share of light that a pressed white key's top loses besides shadows; negative where it reflects more.
    skin_contrast : float
        How hard the light on the hands is: 0 from everywhere, 1 from the lamp alone.
    crease_depth : float
        Share of light that the skin over a joint loses.
    curl : float
        0 for flat fingers, 1 for knuckles close behind the fingertips.
    sleeve_cuff : float
        How far along the hand, from the wrist towards the fingers, the sleeve reaches; negative is up the
        arm.
    strip : tuple of 2 floats
        A line of light along the keys' far ends, drawn or real: level, width. Level 0 is none.
    burst : tuple of 4 floats
        Light that is drawn over a key while it is down, or falls on it: level, how far from the keys' front
        edges its middle is, reach along the keyboard and across it. Level 0 is none.
    gamma, gain : float
        The camera's tone: level 255 * gain * (level / 255) ** gamma, clipped.
    lens_blur : float
        Standard deviation in columns of the picture.
    sharpening : float
        Weight of the camera's unsharp mask.
    film_scale : tuple of 2 floats
        Columns and rows of the film for one of the picture's, at most 1.
    film_rate : float
        Frames a second of the film; the benchmark's picture repeats or leaves out some of them.
    shutter : float
        Share of a film's frame that the shutter is open.
    quantiser : float
        Step of the 8x8 transform coder, in units of its orthonormal coefficients.
    key_frames : int
        Frames from one key frame of the coder to the next.
    skips : bool
        Whether the coder leaves out blocks in which nothing moves.
    """

    camera: tuple[float, float, float]
    marks: np.ndarray
    seen: tuple[float, float]
    light: tuple[float, float, float]
    ambient: float
    shadow_strength: float
    illumination: np.ndarray
    cast_shadow: tuple[float, float, float, float]
    white_level: float
    black_level: float
    gap_width: float
    gap_level: float
    flank_level: float
    wear: np.ndarray
    sheen: tuple[float, float, float]
    felt: tuple[float, float]
    fallboard_level: float
    face_level: float
    slip: tuple[float, float, float]
    cheek_level: float
    press_dimming: float
    skin_level: float
    hand_scale: float
    nail_contrast: float
    skin_contrast: float
    crease_depth: float
    curl: float
    sleeve: str
    sleeve_level: float
    sleeve_cuff: float
    lap: Lap
    strip: tuple[float, float]
    burst: tuple[float, float, float, float]
    gamma: float
    gain: float
    lens_blur: float
    sharpening: float
    film_scale: tuple[float, float]
    film_rate: float
    shutter: float
    flicker: float
    shake: float
    sensor_noise: float
    quantiser: float
    key_frames: int
    skips: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Appearance:
        """Draw the look of one recording.

        Parameters
        ----------
        rng : np.random.Generator
            The only source of chance: equal generators give equal looks.
        """
        direction = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.5, 0.6), 1.0])
        direction /= np.sqrt((direction**2).sum())
        sleeve = str(rng.choice(["bare", "white", "dark", "striped"], p=[0.3, 0.15, 0.35, 0.2]))
        levels = {"bare": (0, 0), "white": (140, 245), "dark": (8, 90), "striped": (50, 170)}[sleeve]
        white = rng.uniform(150, 250)
        fine = rng.random() < 0.6
        columns = 1.0 if fine else rng.uniform(0.45, 1.0)
        strip, burst = _show(rng)
        return cls(
            camera=_camera(rng),
            marks=_marks(rng),
            seen=(-1e6, 1e6),
            light=(float(direction[0]), float(direction[1]), float(direction[2])),
            ambient=rng.uniform(0.05, 0.55),
            shadow_strength=rng.uniform(0.15, 0.5),
            illumination=np.array([1.0, *rng.normal(0, [0.07, 0.06, 0.04, 0.03, 0.03])]),
            cast_shadow=(
                rng.uniform(0.05, 0.95),
                rng.uniform(0.02, 0.3),
                rng.uniform(-0.3, 0.3),
                rng.choice([0.0, 1.0]) * rng.choice([-1, 1]) * rng.uniform(0.04, 0.3),
            ),
            white_level=white,
            black_level=8 + 62 * rng.beta(0.9, 3),
            gap_width=rng.uniform(0.6, 1.5),
            gap_level=rng.uniform(0.08, 0.6) * white,
            flank_level=rng.uniform(0.08, 0.55),
            wear=1 + rng.normal(0, rng.uniform(0.003, 0.015), 88),
            sheen=(60 * rng.beta(0.8, 1.4), rng.uniform(60, 150), rng.uniform(6, 30)),
            felt=(rng.uniform(10, 90), rng.uniform(0.5, 5)),
            fallboard_level=8 + 170 * rng.beta(0.7, 2.5),
            face_level=rng.uniform(0.3, 0.95),
            slip=(8 + 220 * rng.beta(0.7, 1.6), rng.uniform(2, 8), rng.uniform(3, 20)),
            cheek_level=rng.uniform(8, 120),
            press_dimming=rng.uniform(-0.01, 0.09),
            skin_level=rng.uniform(60, 250),
            hand_scale=rng.uniform(0.88, 1.12),
            nail_contrast=rng.uniform(0.0, 0.12),
            skin_contrast=rng.uniform(0.1, 0.75),
            crease_depth=rng.uniform(0.0, 0.03),
            curl=rng.uniform(0.0, 1.0),
            sleeve=sleeve,
            sleeve_level=rng.uniform(*levels),
            sleeve_cuff=rng.uniform(8, 55),
            lap=Lap.draw(rng),
            strip=strip,
            burst=burst,
            gamma=float(np.exp(rng.uniform(-0.5, 0.5))),
            gain=rng.uniform(0.7, 1.45),
            lens_blur=0.4 + 1.2 * rng.beta(0.6, 2.4),
            sharpening=rng.choice([0.0, 1.0]) * rng.uniform(0.2, 1.0),
            film_scale=(columns, min(1.0, columns * rng.uniform(1.0, 1.7))),
            film_rate=float(rng.choice([25, 30, 20, 24], p=[0.35, 0.3, 0.25, 0.1])),
            shutter=rng.uniform(0.15, 0.7),
            flicker=rng.choice([0.0, 1.0], p=[0.7, 0.3]) * rng.uniform(0.001, 0.01),
            shake=rng.choice([0.0, 1.0], p=[0.75, 0.25]) * rng.uniform(0.02, 0.4),
            sensor_noise=float(np.exp(rng.uniform(np.log(0.2), np.log(4)))),
            quantiser=float(np.exp(rng.uniform(np.log(4), np.log(40)))),
            key_frames=int(rng.integers(12, 250)),
            skips=bool(rng.random() < 0.85),
        )


def _camera(rng: np.random.Generator) -> tuple[float, float, float]:
    """Mostly above the keys or the player; sometimes far to a side, or on the other side of the fallboard."""
    sideways, height = rng.uniform(-150, 150), rng.uniform(700, 2200)
    kind = rng.choice(["above", "aside", "opposite"], p=[0.65, 0.1, 0.25])
    if kind == "aside":
        sideways = rng.choice([-1, 1]) * rng.uniform(150, 600)
    across = rng.uniform(250, 900) if kind == "opposite" else rng.uniform(-350, 300)
    return KEYBOARD_WIDTH / 2 + sideways, across, height


def _show(rng: np.random.Generator) -> tuple[tuple[float, float], tuple[float, float, float, float]]:
    """Strip and burst of films that draw light over the keys that are played; most films draw none."""
    kind = rng.choice(["none", "strip", "bursts", "keys"], p=[0.84, 0.03, 0.09, 0.04])
    strip, burst = (0.0, 1.0), (0.0, 0.0, 1.0, 1.0)
    if kind in ("strip", "bursts") and rng.random() < 0.8:
        strip = (rng.uniform(60, 250), rng.uniform(2, 9))
    if kind == "bursts":
        burst = (
            rng.uniform(40, 250),
            WHITE_LENGTH + rng.uniform(-4, 10),
            rng.uniform(6, 30),
            rng.uniform(6, 45),
        )
    if kind == "keys":
        burst = (
            rng.choice([-1, 1]) * rng.uniform(20, 120),
            rng.uniform(0, WHITE_LENGTH),
            rng.uniform(5, 9),
            rng.uniform(15, 90),
        )
    return strip, burst


def _marks(rng: np.random.Generator) -> np.ndarray:
    """The keys' corners as a hand or a keyboard finder marks them: now and then a third of a key beside.

    Errors that leave one end of the keyboard taller than the other push the keys between them aside, by a
    whole key for 15 mm. Whoever marks corners sees that and so moves both corners of an end together.
    """
    coarse = rng.choice([1.0, 2.5], p=[0.85, 0.15])
    along = rng.normal(0, 1.0, 4)
    ends, taller, askew = rng.normal(0, 2.0, 2), rng.normal(0, 1.5), rng.normal(0, 0.6)
    far, near = ends + np.array([taller - askew, taller + askew]), ends
    errors = coarse * np.stack([along, [*far, *near[::-1]]], 1)
    while beside(CORNERS + errors) > _BESIDE:
        errors *= 0.8
    return CORNERS + errors


def beside(marks: np.ndarray) -> float:
    """How far in mm the worst key stands beside its place in a picture warped by ``marks``."""
    return worst_key(marks, CORNERS, (0.0, WHITE_LENGTH))
