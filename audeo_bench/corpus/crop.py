"""Finding the keyboard in a top view: which part of the picture is the crop that contestants are shown.

The black keys give a keyboard away: groups of two and three, in a fixed rhythm over 52 white keys. That
rhythm is laid over every strip of the picture at every width and place (normalised cross-correlation); the
strips where it fits best are the far part of the keys, and the white fronts lie below.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.fft import next_fast_len

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.film.reading import still_pictures
from audeo_bench.keyboard import BLACK_LENGTH, IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_LENGTH

__all__ = ["FoundCrop", "draw_crop", "find_crop", "keyboard_in", "still", "whole_picture"]

Crop = tuple[int, int, int, int]

STRIPS = 108
"""Strips that the picture is cut into from top to bottom."""
COLUMNS = 960
"""The picture is shrunk to this width before it is searched."""
NARROWEST = 0.4
"""The least share of the picture's width that the keyboard may take."""
LEAST_FIT = 0.55
"""Correlation under which a picture counts as showing no keyboard."""
BLACK_WIDTH = 11.5
BEHIND, BEFORE = 7.0, 50.0
"""Millimetres behind the keys and before their front edge that a crop shows: the middle of what the simulated
camera's crops show (`Appearance.draw`).
"""
CROP_RATIO = FRAME_WIDTH / FRAME_HEIGHT


@dataclass(frozen=True)
class FoundCrop:
    """Where the keyboard is.

    Attributes
    ----------
    crop : tuple of 4 ints
        left, top, right, bottom in the video's pixels, the last two exclusive: the keys, and as much in front
        of them and behind as the contestants are used to, where the picture has it.
    keys : tuple of 4 ints
        The keys alone.
    fit : float
        How well the black keys' rhythm fits, 0..1; 1 for a picture that is a crop already.
    """

    crop: Crop
    keys: Crop
    fit: float


def find_crop(path: Path, samples: int = 12) -> tuple[FoundCrop, np.ndarray]:
    """Find the keyboard in a video.

    Parameters
    ----------
    path : Path
        A top view, lowest key on the left, keyboard level, all 88 keys in the picture.
    samples : int
        Frames, spread over the video, whose median is searched: hands move, the keyboard does not.

    Returns
    -------
    found : FoundCrop
    picture : np.ndarray, shape (height, width), uint8
        The median of the frames.

    Raises
    ------
    AudeoBenchError
        No keyboard is found.
    """
    picture = still(path, samples)
    if whole_picture(picture.shape):
        whole = (0, 0, picture.shape[1], picture.shape[0])
        return FoundCrop(whole, whole, 1.0), picture
    found = keyboard_in(picture)
    if found.fit < LEAST_FIT:
        raise AudeoBenchError(
            f"{path}: no keyboard found (fit {found.fit:.2f}, {LEAST_FIT} needed); "
            "give its place in pixels as --crop left,top,right,bottom."
        )
    return found, picture


def whole_picture(shape: tuple[int, ...]) -> bool:
    """Whether a picture is shaped as a crop already, as the benchmark's own videos are: 9 to 1, within a
    fifth.
    """
    height, width = shape[:2]
    return 0.8 * CROP_RATIO <= width / height <= 1.25 * CROP_RATIO


def still(path: Path, samples: int = 12) -> np.ndarray:
    """The median of ``samples`` frames spread over a video: (height, width), uint8, grey."""
    return np.median(still_pictures(path, samples), axis=0).astype(np.uint8)


def keyboard_in(picture: np.ndarray) -> FoundCrop:
    """The most likely keyboard in a picture of shape (height, width), uint8, and how well it fits."""
    height, width = picture.shape
    scale = max(1.0, width / COLUMNS)
    strips = _strips(picture.astype(np.float32), round(width / scale))
    best = (-1.0, 0, 0.0, 0.0)
    contrasts = _contrasts(strips)
    columns = strips.shape[1]
    for size in np.geomspace(NARROWEST * columns, 1.02 * columns, 190):
        correlation = _correlate(contrasts, size)
        strip, place = np.unravel_index(np.argmax(correlation), correlation.shape)
        if correlation[strip, place] > best[0]:
            best = (float(correlation[strip, place]), int(strip), float(place), float(size))
    fit, strip, place, size = best
    pad = columns // 8
    left, right = (place - pad) * scale, (place - pad + size) * scale
    profile = _correlate(contrasts, size)[:, int(place)]
    # The black keys: where the rhythm is more than half as clear as where it is clearest.
    top, bottom = strip, strip
    while top > 0 and profile[top - 1] > 0.6 * fit:
        top -= 1
    while bottom + 1 < len(profile) and profile[bottom + 1] > 0.6 * fit:
        bottom += 1
    rows = height / len(strips)
    first, last = top * rows, (bottom + 1) * rows
    low, high = int(max(0, left)), int(min(width, right))
    brightness = picture[:, low:high].mean(1)
    first = _far_edge(brightness, first, last)
    end = min(_front_edge(brightness, first, last), float(height))
    across = (end - first) / WHITE_LENGTH
    keys = (low, round(first), high, round(end))
    crop = (low, max(0, round(first - BEHIND * across)), high, min(height, round(end + BEFORE * across)))
    return FoundCrop(crop, keys, fit)


def _strips(picture: np.ndarray, columns: int) -> np.ndarray:
    """Averages over strips and columns: (strips, columns)."""
    height, width = picture.shape
    rows = np.linspace(0, height, min(STRIPS, height) + 1).astype(int)
    averaged = np.add.reduceat(picture, rows[:-1], axis=0) / np.diff(rows)[:, None]
    edges = np.linspace(0, width, columns + 1).astype(int)
    return np.add.reduceat(averaged, edges[:-1], axis=1) / np.diff(edges)


def _contrasts(strips: np.ndarray) -> np.ndarray:
    """Strips without their slow shading, padded by an eighth of the width on both sides."""
    window = max(3, strips.shape[1] // 12) | 1
    padded = np.pad(strips, ((0, 0), (window // 2, window // 2)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    contrast = strips - (sums[:, window:] - sums[:, :-window]) / window
    pad = strips.shape[1] // 8
    return np.pad(contrast, ((0, 0), (pad, pad)))


def _rhythm(size: float) -> np.ndarray:
    """The far part of the keys, ``size`` columns wide: bright, dark at the black keys; mean 0, norm 1."""
    millimetres = (np.arange(int(size)) + 0.5) / size * KEYBOARD_WIDTH
    nearest = np.abs(millimetres[:, None] - KEY_X[IS_BLACK]).min(1)
    edge = KEYBOARD_WIDTH / size
    dark = np.clip((BLACK_WIDTH / 2 - nearest) / edge + 0.5, 0, 1)
    pattern = dark.mean() - dark
    return pattern / np.sqrt((pattern**2).sum())


def _correlate(contrasts: np.ndarray, size: float) -> np.ndarray:
    """Normalised correlation of every strip with the rhythm at every place: (strips, places)."""
    pattern = _rhythm(size)
    places = contrasts.shape[1] - len(pattern) + 1
    length = next_fast_len(contrasts.shape[1] + len(pattern), real=True)
    spectrum = np.fft.rfft(contrasts, length) * np.conj(np.fft.rfft(pattern, length))
    product = np.fft.irfft(spectrum, length)[:, :places]
    squares = np.cumsum(np.pad(contrasts**2, ((0, 0), (1, 0))), axis=1)
    sums = np.cumsum(np.pad(contrasts, ((0, 0), (1, 0))), axis=1)
    energy = squares[:, len(pattern) :] - squares[:, : -len(pattern)]
    mean = (sums[:, len(pattern) :] - sums[:, : -len(pattern)]) / len(pattern)
    spread = np.sqrt(np.maximum(energy - len(pattern) * mean**2, 0))
    # A strip of nearly one brightness has a rhythm only by accident.
    return product / np.maximum(spread, 4.0 * np.sqrt(len(pattern)))


def _far_edge(brightness: np.ndarray, first: float, last: float) -> float:
    """The row where the keys come out from under the fallboard: the steepest rise about where the rhythm
    begins.
    """
    black = last - first
    low, high = int(max(0, first - 0.3 * black)), int(first + 0.15 * black)
    rise = brightness[low + 2 : high + 2] - brightness[low:high]
    if len(rise) == 0 or rise.max() < 0.12 * brightness[int(first) : int(last)].mean():
        return first
    return low + float(np.argmax(rise)) + 1.0


def _front_edge(brightness: np.ndarray, first: float, last: float) -> float:
    """The row where the white fronts end: the steepest fall of brightness about where geometry expects it."""
    black = last - first
    expected = first + black * WHITE_LENGTH / BLACK_LENGTH
    low = int(last + 0.15 * black)
    high = int(min(len(brightness) - 2, first + 2.3 * black))
    if high - low < 3:
        return min(expected, float(len(brightness)))
    fall = brightness[low:high] - brightness[low + 2 : high + 2]
    steepest = int(np.argmax(fall))
    bright = brightness[int(last) : low + 1].mean()
    return low + steepest + 1.0 if fall[steepest] > 0.12 * bright else min(expected, float(len(brightness)))


def draw_crop(picture: np.ndarray, found: FoundCrop, path: Path) -> None:
    """Draw the found crop into the picture it was found in; the suffix of ``path`` chooses the format."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(9, 0.6 + 9 * picture.shape[0] / picture.shape[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    for (left, top, right, bottom), style in ((found.keys, ":"), (found.crop, "-")):
        box = Rectangle(
            (left, top), right - left, bottom - top, fill=False, edgecolor="tab:red", linestyle=style
        )
        box.set_linewidth(2)
        axes.add_patch(box)
    crop = ",".join(map(str, found.crop))
    axes.set_title(f"--crop {crop}   (dotted: the keys; fit {found.fit:.2f})", fontsize=10)
    axes.set_axis_off()
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
