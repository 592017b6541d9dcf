"""Training pictures varied as films differ: other light, exposure, lens and crop, the same for a whole stack.

On keyboards that no training film shows, this is worth as much as any change of data or net, at no cost
on the training keyboard's own test films (docs/notebook/training.md).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

GAMMA = 0.5
"""Tone curve: exponent e^+-."""
GAIN = (0.55, 1.5)
OFFSET = 20.0
"""Grey levels."""
LIGHT = (0.25, 0.15)
"""Gradient of the light along and across the keyboard, share of the level from the middle to the edge."""
ROWS, COLUMNS = 3.0, 1.0
"""Shift in pixels of a 50x450 picture; scales with the picture."""
STRETCH = (0.8, 1.25)
"""Of the keys' depth."""
BLUR = 0.25
"""Outer weight of a three-tap blur, in half of the pictures."""
NOISE = 4.0
"""Standard deviation, grey levels."""
_BANK = 1 << 20


def vary(stacks: np.ndarray, rng: np.random.Generator, idle: bool = False) -> np.ndarray:
    """Another camera's view of the same stacks.

    Parameters
    ----------
    stacks : np.ndarray, shape (n, pictures, height, width), uint8
    rng : np.random.Generator
    idle : bool
        Whether the last picture is the keyboard at rest: a median, which has no noise.

    Returns
    -------
    np.ndarray, shape (n, pictures, height, width), uint8
    """
    varied = np.empty_like(stacks)
    pictures, height, width = stacks.shape[1:]
    bank = _noise()
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    for stack, out in zip(stacks, varied, strict=True):
        tone = 255 * rng.uniform(*GAIN) * levels ** np.exp(rng.uniform(-GAMMA, GAMMA))
        along, across = rng.uniform(-1, 1, 2) * LIGHT
        noise = np.full(pictures, rng.uniform(0, NOISE))
        if idle:
            noise[-1] = 0
        top, of_rows = _taps(rng, height, ROWS * height / 50, STRETCH)
        left, of_columns = _taps(rng, width, COLUMNS * width / 450)
        _expose(
            stack,
            out,
            tone.astype(np.float32),
            top,
            of_rows,
            # Columns are moved, not stretched: what is read for the first one says it for all.
            np.clip(left[0] + 8, 0, 12),
            of_columns[0],
            (1 + along * x).astype(np.float32),
            (1 + across * y).astype(np.float32),
            np.float32(rng.uniform(-OFFSET, OFFSET)),
            noise.astype(np.float32),
            bank,
            rng.integers(_BANK - width, size=(pictures, height)),
        )
    return varied


@cache
def _noise() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(_BANK, np.float32)


def _taps(
    rng: np.random.Generator, size: int, shift: float, stretch: tuple[float, float] = (1.0, 1.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a line is read, and how: first of four pixels, shape (size,), and their weights."""
    middle = (size - 1) / 2
    place = (np.arange(size) - middle) * rng.uniform(*stretch) + middle + rng.uniform(-shift, shift)
    outer = rng.uniform(0, BLUR) * rng.integers(2)
    low = np.floor(place).astype(np.int64)
    near = (place - low)[:, None]
    blur = np.array([outer, 1 - 2 * outer, outer])
    weights = np.zeros((size, 4))
    weights[:, :3] += (1 - near) * blur
    weights[:, 1:] += near * blur
    return low - 1, weights.astype(np.float32)


@njit(cache=True, fastmath=True)
def _expose(stack, out, tone, top, of_rows, shift, of_columns, along, across, offset, noise, bank, noise_at):
    pictures, height, width = stack.shape
    toned = np.empty((height, width), np.float32)
    line = np.empty(width + 16, np.float32)
    for picture in range(pictures):
        for row in range(height):
            for column in range(width):
                toned[row, column] = tone[stack[picture, row, column]]
        for row in range(height):
            line[:] = 0
            for tap in range(4):
                source = toned[min(max(top[row] + tap, 0), height - 1)]
                weight = of_rows[row, tap]
                for column in range(width):
                    line[column + 8] += weight * source[column]
            line[:8] = line[8]
            line[width + 8 :] = line[width + 7]
            start, grain = noise_at[picture, row], noise[picture]
            for column in range(width):
                place = column + shift
                level = of_columns[0] * line[place] + of_columns[1] * line[place + 1]
                level += of_columns[2] * line[place + 2] + of_columns[3] * line[place + 3]
                level = level * along[column] * across[row] + offset + grain * bank[start + column]
                out[picture, row, column] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))
