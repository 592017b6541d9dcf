"""One frame after the other: keys, hands, shadows, motion blur, codec, exposure. Compiled; no frame needs another."""

from __future__ import annotations

import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.codec import code
from audeo_bench.corpus.simulated.piano import PATCH_WIDTH
from audeo_bench.corpus.simulated.skin import CAPSULES, cast, draw, pose
from audeo_bench.roll import KEYS

ROWS, COLUMNS = 104, 904
"""The picture padded to whole blocks of the codec."""
_GROUP = 25
"""Frames from one key frame of the codec to the next."""


@njit(cache=True)
def _touch(busy, top, bottom, left, right):
    for row in range(max(0, top) // 8, min(ROWS - 1, bottom) // 8 + 1):
        for column in range(max(0, left) // 8, min(COLUMNS - 1, right) // 8 + 1):
            busy[row, column] = 1


@njit(cache=True)
def _soften(layer, swap, edge, box):
    """Three-tap blur of ``layer`` inside ``box`` (rows then columns), through the buffer ``swap``."""
    centre = np.float32(1.0 - 2.0 * edge)
    side = np.float32(edge)
    top, bottom, left, right = box[0], box[1], box[2], box[3]
    for row in range(top, bottom):
        for column in range(left, right):
            before, after = max(column - 1, 0), min(column + 1, layer.shape[1] - 1)
            swap[row, column] = centre * layer[row, column] + side * (layer[row, before] + layer[row, after])
    for row in range(top, bottom):
        above, below = max(row - 1, top), min(row + 1, bottom - 1)
        for column in range(left, right):
            layer[row, column] = centre * swap[row, column] + side * (
                swap[above, column] + swap[below, column]
            )


@njit(cache=True)
def render(
    out, first, tips, wrists, up, patches, columns, rows, references, depths, gains, shifts, noise_at,
    camera, homography, light, look, optics, bank, cosines,
):  # fmt: skip
    picture = np.empty((ROWS, COLUMNS), np.float32)
    height = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    alpha, colour = np.zeros_like(height), np.zeros_like(height)
    cover, hands, swap = np.zeros_like(height), np.zeros_like(height), np.zeros_like(height)
    shadow = np.zeros((FRAME_HEIGHT // 2 + 1, FRAME_WIDTH // 2 + 1), np.float32)
    busy = np.zeros((ROWS // 8, COLUMNS // 8), np.uint8)
    parts = np.zeros((CAPSULES, 9))
    box = np.zeros(4, np.int64)
    whole = np.zeros(4, np.int64)
    for index in range(len(out)):
        frame = first + index
        picture[:] = up
        busy[:] = 0
        for key in range(KEYS):
            depth = depths[frame, key]
            if depth > 0.001:
                left = columns[key]
                _touch(busy, rows[key, 0], rows[key, 1], left, left + PATCH_WIDTH)
                for row in range(rows[key, 0], rows[key, 1]):
                    for column in range(PATCH_WIDTH):
                        picture[row, left + column] += depth * patches[key, row, column]
        for hand in range(2):
            before, after = max(frame - 1, 0), min(frame + 1, len(tips) - 1)
            farthest = 0.0
            for finger in range(5):
                for axis in range(2):
                    moved = abs(tips[after, hand, finger, axis] - tips[before, hand, finger, axis]) / 2
                    farthest = max(farthest, moved)
            exposures = 1 if farthest * optics[2] < 2.0 else (2 if farthest * optics[2] < 6.0 else 3)
            whole[0], whole[1], whole[2], whole[3] = FRAME_HEIGHT, 0, FRAME_WIDTH, 0
            for exposure in range(exposures):
                at = optics[2] * ((exposure + 0.5) / exposures - 0.5)
                other = after if at > 0 else before
                share = abs(at)
                tip = tips[frame, hand] * (1.0 - share) + tips[other, hand] * share
                wrist = wrists[frame, hand] * (1.0 - share) + wrists[other, hand] * share
                side = 1.0 if hand == 1 else -1.0
                count = pose(tip, wrist, side, look[4], look[5], parts)
                box[0], box[1], box[2], box[3] = FRAME_HEIGHT, 0, FRAME_WIDTH, 0
                draw(parts, count, camera, homography, light, look, bank, height, alpha, colour, box)
                weight = np.float32(1.0 / exposures)
                for row in range(box[0], box[1]):
                    for column in range(box[2], box[3]):
                        cover[row, column] += weight * alpha[row, column]
                        hands[row, column] += weight * colour[row, column]
                        height[row, column] = 0
                        alpha[row, column] = 0
                        colour[row, column] = 0
                whole[0], whole[1] = min(whole[0], box[0]), max(whole[1], box[1])
                whole[2], whole[3] = min(whole[2], box[2]), max(whole[3], box[3])
            # The last sub-exposure's pose casts the shadow: its edges are too soft to show the others.
            box[:] = whole
            cast(parts, count, camera, homography, light, shadow, whole)
            whole[0], whole[1] = max(0, whole[0] - 2), min(FRAME_HEIGHT, whole[1] + 2)
            whole[2], whole[3] = max(0, whole[2] - 2), min(FRAME_WIDTH, whole[3] + 2)
            if whole[0] >= whole[1] or whole[2] >= whole[3]:
                continue
            box[0], box[1] = max(0, box[0] - 1), min(FRAME_HEIGHT, box[1] + 1)
            box[2], box[3] = max(0, box[2] - 1), min(FRAME_WIDTH, box[3] + 1)
            _soften(cover, swap, optics[1], box)
            _soften(hands, swap, optics[1], box)
            _touch(busy, whole[0], whole[1], whole[2], whole[3])
            for row in range(whole[0], whole[1]):
                cell_row = row // 2
                next_row = min(cell_row + 1, shadow.shape[0] - 1) if row % 2 else max(cell_row - 1, 0)
                for column in range(whole[2], whole[3]):
                    cell = column // 2
                    beside = min(cell + 1, shadow.shape[1] - 1) if column % 2 else max(cell - 1, 0)
                    dark = 0.5625 * shadow[cell_row, cell] + 0.1875 * shadow[cell_row, beside]
                    dark += 0.1875 * shadow[next_row, cell] + 0.0625 * shadow[next_row, beside]
                    lit = picture[row, column] * (1.0 - optics[0] * dark)
                    picture[row, column] = lit * (1.0 - cover[row, column]) + hands[row, column]
                    cover[row, column] = 0
                    hands[row, column] = 0
            shadow[whole[0] // 2 : whole[1] // 2 + 1, whole[2] // 2 : whole[3] // 2 + 1] = 0
        code(
            picture,
            references[(frame // _GROUP) % len(references)],
            busy,
            bank[noise_at[frame, 0] :],
            np.float32(optics[3]),
            optics[4],
            cosines,
        )
        _expose(
            picture,
            gains[frame],
            shifts[frame],
            bank,
            noise_at[frame, 1],
            np.float32(0.35 * optics[3]),
            out[index],
        )


@njit(cache=True)
def _expose(picture, gain, shift, bank, offset, noise, out):
    """Shift by less than a pixel, scale, add the last noise, round."""
    down, across = int(np.floor(shift[1])), int(np.floor(shift[0]))
    low, near = np.float32(shift[1] - down), np.float32(shift[0] - across)
    one = np.float32(1)
    line = np.empty(FRAME_WIDTH + 4, np.float32)
    for row in range(FRAME_HEIGHT):
        above = min(max(row + down, 0), FRAME_HEIGHT - 1)
        below = min(max(row + down + 1, 0), FRAME_HEIGHT - 1)
        for column in range(FRAME_WIDTH):
            line[column + 2] = gain * ((one - low) * picture[above, column] + low * picture[below, column])
        line[0] = line[1] = line[2]
        line[FRAME_WIDTH + 2] = line[FRAME_WIDTH + 3] = line[FRAME_WIDTH + 1]
        for column in range(FRAME_WIDTH):
            place = column + 2 + across
            level = (one - near) * line[place] + near * line[place + 1]
            level += noise * bank[offset + row * FRAME_WIDTH + column] + np.float32(0.5)
            out[row, column] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))
