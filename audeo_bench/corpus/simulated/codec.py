"""What a video codec loses: an 8x8 transform coder for one picture against a reference, without memory.

A real coder predicts from the frame before, so its errors depend on everything since the last key frame. Here
each frame's difference from the coded picture of the idle keyboard is quantised by itself: faint changes
vanish or turn blocky in the same way, and any window of frames can be rendered alone.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 8
_k, _n = np.mgrid[0:BLOCK, 0:BLOCK]
COSINES = (np.where(_k == 0, 1 / np.sqrt(2), 1) / 2 * np.cos((2 * _n + 1) * _k * np.pi / 16)).astype(
    np.float32
)
"""The orthonormal 8-point DCT-II, shape (8, 8): row k is the k-th basis vector."""


@njit(cache=True, inline="always")
def _multiply(left, right, product):
    """8x8 matrices; the inner loop runs over independent sums, so that it compiles to vector instructions."""
    for i in range(8):
        for j in range(8):
            product[i, j] = 0
        for k in range(8):
            weight = left[i, k]
            for j in range(8):
                product[i, j] += weight * right[k, j]


@njit(cache=True)
def code(picture, reference, busy, noise, noise_level, quantiser, cosines):
    """Replace ``picture`` by what a decoder would show.

    Parameters
    ----------
    picture, reference : np.ndarray, shape (rows, columns), float32
        Rows and columns are multiples of 8. The difference is what gets coded.
    busy : np.ndarray, shape (rows / 8, columns / 8), uint8
        Where 0 the block is skipped: the decoder shows the reference.
    noise : np.ndarray, shape (at least rows * columns,), float32
        The sensor's, of unit variance, added to ``picture`` times ``noise_level`` before coding.
    quantiser : float
        Step of the lowest coefficients; the highest are quantised 1.9 times as coarsely.
    cosines : np.ndarray, shape (8, 8), float32
    """
    columns = picture.shape[1]
    block = np.zeros((8, 8), np.float32)
    half = np.zeros((8, 8), np.float32)
    across = np.ascontiguousarray(cosines.T)
    for block_row in range(busy.shape[0]):
        for block_column in range(busy.shape[1]):
            top, left = block_row * 8, block_column * 8
            anything = False
            if busy[block_row, block_column]:
                for i in range(8):
                    start = (top + i) * columns + left
                    for j in range(8):
                        level = picture[top + i, left + j] + noise_level * noise[start + j]
                        block[i, j] = level - reference[top + i, left + j]
                _multiply(cosines, block, half)
                _multiply(half, across, block)
                for k in range(8):
                    for m in range(8):
                        step = np.float32(quantiser * (1.0 + 0.065 * (k + m)))
                        level = np.float32(int(abs(block[k, m]) / step + np.float32(0.22))) * step
                        anything |= level > 0
                        block[k, m] = level if block[k, m] > 0 else -level
            if anything:
                _multiply(across, block, half)
                _multiply(half, cosines, block)
                for i in range(8):
                    for j in range(8):
                        picture[top + i, left + j] = reference[top + i, left + j] + block[i, j]
            else:
                for i in range(8):
                    for j in range(8):
                        picture[top + i, left + j] = reference[top + i, left + j]
