"""What a video codec loses: an 8x8 transform coder for one picture against a reference, deterministic and without memory.

A real coder predicts from the frame before, so its errors depend on everything since the last key frame. Here each
frame's difference from the coded picture of the idle keyboard is quantised by itself: faint changes vanish or turn
blocky in the same way, and any window of frames can be rendered alone.
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


@njit(cache=True)
def code(picture, reference, busy, quantiser, cosines):
    """Replace ``picture`` by what a decoder would show.

    Parameters
    ----------
    picture, reference : np.ndarray, shape (rows, columns), float32
        Rows and columns are multiples of 8. The difference is what gets coded.
    busy : np.ndarray, shape (rows / 8, columns / 8), uint8
        Where 0 the block is skipped: the decoder shows the reference.
    quantiser : float
        Step of the lowest coefficients; the highest are quantised 1.9 times as coarsely.
    cosines : np.ndarray, shape (8, 8), float32
    """
    block = np.zeros((8, 8), np.float32)
    half = np.zeros((8, 8), np.float32)
    for block_row in range(busy.shape[0]):
        for block_column in range(busy.shape[1]):
            top, left = block_row * 8, block_column * 8
            if busy[block_row, block_column]:
                for i in range(8):
                    for j in range(8):
                        block[i, j] = picture[top + i, left + j] - reference[top + i, left + j]
                half[:] = 0
                for k in range(8):
                    for i in range(8):
                        weight = cosines[k, i]
                        for j in range(8):
                            half[k, j] += weight * block[i, j]
                anything = False
                for k in range(8):
                    for m in range(8):
                        total = np.float32(0)
                        for j in range(8):
                            total += half[k, j] * cosines[m, j]
                        step = quantiser * (1.0 + 0.065 * (k + m))
                        level = np.floor(abs(total) / step + 0.33)
                        if level > 0:
                            anything = True
                            block[k, m] = level * step if total > 0 else -level * step
                        else:
                            block[k, m] = 0
                if anything:
                    half[:] = 0
                    for i in range(8):
                        for k in range(8):
                            weight = cosines[k, i]
                            for m in range(8):
                                half[i, m] += weight * block[k, m]
                    block[:] = 0
                    for i in range(8):
                        for m in range(8):
                            weight = half[i, m]
                            if weight != 0:
                                for j in range(8):
                                    block[i, j] += weight * cosines[m, j]
                    for i in range(8):
                        for j in range(8):
                            picture[top + i, left + j] = reference[top + i, left + j] + block[i, j]
                    continue
            for i in range(8):
                for j in range(8):
                    picture[top + i, left + j] = reference[top + i, left + j]
