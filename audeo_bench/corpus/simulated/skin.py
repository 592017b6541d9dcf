"""Hands as the camera sees them: capsules posed by fingertips and wrist, with light, nails and sleeves."""

from __future__ import annotations

import numpy as np
from numba import njit

_CAPSULES = 27
_FINGER, _TIP, _PALM, _ARM, _SLEEVE = 0, 1, 2, 3, 4
# By finger 1..4 (index to little): knuckles across the hand, along it (share of the palm), length, thickness.
_ACROSS = np.array([0.0, -25.0, -6.0, 12.0, 29.0])
_ALONG = np.array([0.0, 0.99, 1.03, 0.97, 0.87])
_LENGTH = np.array([0.0, 92.0, 102.0, 96.0, 76.0])
_THICK = np.array([1.16, 1.0, 1.03, 0.97, 0.86])


@njit(cache=True)
def _project(x: float, y: float, z: float, camera: np.ndarray, homography: np.ndarray) -> tuple[float, float]:
    """Column and row, in pixels, of a point z mm above the keys."""
    spread = 1.0 / (1.0 - z / camera[2])
    flat_x, flat_y = camera[0] + (x - camera[0]) * spread, camera[1] + (y - camera[1]) * spread
    depth = homography[2, 0] * flat_x + homography[2, 1] * flat_y + homography[2, 2]
    column = (homography[0, 0] * flat_x + homography[0, 1] * flat_y + homography[0, 2]) / depth
    row = (homography[1, 0] * flat_x + homography[1, 1] * flat_y + homography[1, 2]) / depth
    return column, row


@njit(cache=True)
def _put(parts, index, start, stop, start_radius, stop_radius, kind):
    parts[index, 0:3] = start
    parts[index, 3] = start_radius
    parts[index, 4:7] = stop
    parts[index, 7] = stop_radius
    parts[index, 8] = kind
    return index + 1


@njit(cache=True)
def _pose(tips, wrist, side, scale, cuff, parts):
    """Capsules of one hand.

    Parameters
    ----------
    tips : np.ndarray, shape (5, 3)
        Undersides of the fingertips in mm, thumb first.
    wrist : np.ndarray, shape (3,)
    side : float
        +1 for a right hand, -1 for a left one.
    scale, cuff : float
        Size of the hand; how far the sleeve reaches beyond the wrist in mm, below -900 for a bare arm.
    parts : np.ndarray, shape (_CAPSULES, 9)
        Filled with start (x, y, z), radius, end (x, y, z), radius, kind.

    Returns
    -------
    int
        How many capsules were filled.
    """
    middle_x = 0.15 * tips[1, 0] + 0.35 * tips[2, 0] + 0.35 * tips[3, 0] + 0.15 * tips[4, 0]
    middle_y = 0.15 * tips[1, 1] + 0.35 * tips[2, 1] + 0.35 * tips[3, 1] + 0.15 * tips[4, 1]
    ahead_x, ahead_y = middle_x - wrist[0], middle_y - wrist[1]
    reach = np.sqrt(ahead_x * ahead_x + ahead_y * ahead_y) + 1e-6
    ahead_x, ahead_y = ahead_x / reach, ahead_y / reach
    # The tracks' wrist is where the forearm turns; what looks like the wrist lies a little before it.
    wrist = wrist + np.array([24.0 * ahead_x, 24.0 * ahead_y, 0.0])
    reach -= 24.0
    across_x, across_y = side * ahead_y, -side * ahead_x
    palm = min(max(0.58 * reach, 62.0), 92.0) * scale
    knuckle_z = 34.0 + 0.35 * max(0.0, wrist[2])
    joints = np.zeros((5, 4, 3))
    for finger in range(1, 5):
        tip = tips[finger]
        joints[finger, 0, 0] = wrist[0] + ahead_x * palm * _ALONG[finger] + across_x * _ACROSS[finger] * scale
        joints[finger, 0, 1] = wrist[1] + ahead_y * palm * _ALONG[finger] + across_y * _ACROSS[finger] * scale
        joints[finger, 0, 2] = knuckle_z - (5.0 if finger == 4 else 0.0)
        joints[finger, 3, :] = tip
        joints[finger, 3, 2] += 6.0
        span_x, span_y = tip[0] - joints[finger, 0, 0], tip[1] - joints[finger, 0, 1]
        span = np.sqrt(span_x * span_x + span_y * span_y)
        slack = _LENGTH[finger] * scale - span
        arch = min(max(0.42 * slack, 3.0), 22.0)
        for joint, share, rise in ((1, 0.50, 1.0), (2, 0.82, 0.62)):
            joints[finger, joint, 0] = joints[finger, 0, 0] + share * span_x
            joints[finger, joint, 1] = joints[finger, 0, 1] + share * span_y
            low, high = joints[finger, 3, 2], joints[finger, 0, 2]
            joints[finger, joint, 2] = high + (low - high) * share * share + arch * rise
    for axis in range(3):
        root = wrist[axis]
        if axis == 0:
            root += ahead_x * 16.0 + across_x * -20.0
        if axis == 1:
            root += ahead_y * 16.0 + across_y * -20.0
        joints[0, 0, axis] = root
        joints[0, 3, axis] = tips[0, axis]
    joints[0, 0, 2] = knuckle_z - 8.0
    joints[0, 3, 2] += 7.0
    for joint, share, out in ((1, 0.46, 11.0), (2, 0.76, 6.0)):
        joints[0, joint] = joints[0, 0] + share * (joints[0, 3] - joints[0, 0])
        joints[0, joint, 0] -= across_x * out
        joints[0, joint, 1] -= across_y * out
        joints[0, joint, 2] += 5.0

    count = 0
    elbow = np.array([wrist[0] + side * 45.0 - 0.25 * ahead_x * 250.0, wrist[1] - 250.0, wrist[2] + 20.0])
    arm = np.array([wrist[0], wrist[1], knuckle_z - 14.0])
    count = _put(parts, count, arm, elbow, 27.0 * scale, 38.0 * scale, _ARM)
    if cuff > -900.0:
        start = arm.copy()
        start[0] += ahead_x * cuff
        start[1] += ahead_y * cuff
        start[2] += 12.0
        count = _put(parts, count, start, elbow, 34.0 * scale, 46.0 * scale, _SLEEVE)
    for finger in range(1, 5):
        base = arm.copy()
        base[0] += across_x * _ACROSS[finger] * 0.45
        base[1] += across_y * _ACROSS[finger] * 0.45
        base[2] = knuckle_z - 9.0
        head = joints[finger, 0].copy()
        head[2] -= 1.5
        count = _put(parts, count, base, head, 18.0 * scale, 12.0 * scale, _PALM)
    web = joints[1, 0].copy()
    web[2] -= 8.0
    count = _put(parts, count, joints[0, 0], web, 14.0 * scale, 11.0 * scale, _PALM)
    count = _put(parts, count, arm, joints[0, 0], 19.0 * scale, 15.0 * scale, _PALM)
    for finger in range(5):
        girth = _THICK[finger] * scale
        root = joints[finger, 0].copy()
        if finger > 0:
            root[2] -= 4.0
        count = _put(parts, count, root, joints[finger, 1], 10.0 * girth, 8.8 * girth, _FINGER)
        count = _put(parts, count, joints[finger, 1], joints[finger, 2], 8.8 * girth, 7.6 * girth, _FINGER)
        count = _put(parts, count, joints[finger, 2], joints[finger, 3], 7.6 * girth, 6.6 * girth, _TIP)
    return count


@njit(cache=True)
def _colour(kind, along, length, offset, radius, height, lit, look, grain):
    """Grey level of a point of a capsule; ``offset`` is its signed distance from the axis seen from above."""
    if kind == _SLEEVE:
        level = look[2]
        if look[3] > 0.5:
            level *= 0.55 + 0.9 * (np.sin(along * length * 0.45) > 0.0)
        fold = np.sin(along * length * 0.16 + offset * 0.11) + 0.6 * np.sin(
            along * length * 0.37 - offset * 0.2
        )
        return level * (0.3 + 0.72 * lit) * (1.0 + 0.07 * fold) * (1.0 + 0.05 * grain)
    level = look[0] * (1.0 + 0.035 * grain)
    if kind == _FINGER:
        # Creases over the joints: skin gathers where a straight finger bends.
        near = min(along, 1.0 - along) * length
        if near < 2.6:
            level *= 1.0 - 0.09 * (1.0 - near / 2.6) * (0.6 + 0.4 * np.sin(offset * 1.9))
    elif kind == _TIP:
        nail_x, nail_y = offset / (0.66 * radius), (along * length - length * 0.86) / (0.62 * length + 2.0)
        if nail_x * nail_x + nail_y * nail_y < 1.0:
            level *= 1.0 + look[1] * (1.0 if along < 1.0 else 1.5)
        elif along < 0.2:
            level *= 0.95
    # Less daylight reaches what lies low between other fingers.
    return level * (0.34 + 0.72 * lit) * (0.78 + 0.22 * min(1.0, height / 40.0))


@njit(cache=True)
def _draw(parts, count, camera, homography, light, look, grain, height, alpha, colour, box):
    """Draw capsules by height into ``colour`` (premultiplied) and ``alpha``; ``box`` grows by them."""
    rows, columns = alpha.shape
    for index in range(count):
        part = parts[index]
        u0, v0 = _project(part[0], part[1], part[2], camera, homography)
        u1, v1 = _project(part[4], part[5], part[6], camera, homography)
        right, _ = _project(part[0] + 1.0, part[1], part[2], camera, homography)
        _, far = _project(part[0], part[1] + 1.0, part[2], camera, homography)
        scale_x, scale_y = right - u0, v0 - far
        margin = max(part[3], part[7]) + 1.5
        left = max(0, int(np.floor(min(u0, u1) - margin * scale_x)))
        end = min(columns, int(np.ceil(max(u0, u1) + margin * scale_x)) + 1)
        top = max(0, int(np.floor(min(v0, v1) - margin * scale_y)))
        bottom = min(rows, int(np.ceil(max(v0, v1) + margin * scale_y)) + 1)
        if left >= end or top >= bottom:
            continue
        box[0], box[1] = min(box[0], top), max(box[1], bottom)
        box[2], box[3] = min(box[2], left), max(box[3], end)
        axis_x, axis_y = (u1 - u0) / scale_x, (v0 - v1) / scale_y
        squared = axis_x * axis_x + axis_y * axis_y + 1e-9
        length = np.sqrt(squared)
        kind = int(part[8])
        flat = 0.5 if kind == _PALM else (0.8 if kind >= _ARM else 1.0)
        inverse, per_length = 1.0 / squared, 1.0 / length
        per_x, per_y = 1.0 / scale_x, 1.0 / scale_y
        for row in range(top, bottom):
            y = (v0 - row - 0.5) * per_y
            for column in range(left, end):
                x = (column + 0.5 - u0) * per_x
                along = (x * axis_x + y * axis_y) * inverse
                if along < 0.0:
                    if kind == _SLEEVE:
                        continue  # a sleeve ends in an open cuff, not in a cap
                    along = 0.0
                along = min(along, 1.0)
                away_x, away_y = x - along * axis_x, y - along * axis_y
                radius = part[3] + along * (part[7] - part[3])
                distance_squared = away_x * away_x + away_y * away_y
                if distance_squared > (radius + 0.7) * (radius + 0.7):
                    continue
                cover = 1.0
                if distance_squared > (radius - 0.75) * (radius - 0.75):
                    cover = min(max((radius - np.sqrt(distance_squared)) * 0.68 + 0.5, 0.0), 1.0)
                    if cover <= 0.0:
                        continue
                per_radius = 1.0 / radius
                up = np.sqrt(max(0.0, 1.0 - distance_squared * per_radius * per_radius))
                level_z = part[2] + along * (part[6] - part[2]) + radius * up
                if level_z <= height[row, column] and alpha[row, column] > 0.995:
                    continue
                normal_z = 1.0 - flat * (1.0 - up)
                lit = flat * per_radius * (away_x * light[0] + away_y * light[1]) + normal_z * light[2]
                lit = max(0.0, lit)
                offset = (away_x * axis_y - away_y * axis_x) * per_length
                speck = grain[
                    (int(along * length * 0.9) * 37 + int(offset * 1.3 + 60) * 11 + index * 101) & 4095
                ]
                level = _colour(kind, along, length, offset, radius, level_z, lit, look, speck)
                if level_z > height[row, column]:
                    colour[row, column] = colour[row, column] * (1.0 - cover) + level * cover
                    alpha[row, column] = alpha[row, column] * (1.0 - cover) + cover
                    if cover > 0.5:
                        height[row, column] = level_z
                else:
                    rest = cover * (1.0 - alpha[row, column])
                    colour[row, column] += level * rest
                    alpha[row, column] += rest


@njit(cache=True)
def _cast(parts, count, camera, homography, light, shadow, box):
    """Soft shadow of capsules on the keys, in ``shadow`` at half the picture's size, 0 (none) to 1 (full)."""
    rows, columns = shadow.shape
    for index in range(count):
        part = parts[index]
        lean_x, lean_y = light[0] / light[2], light[1] / light[2]
        x0, y0 = part[0] - lean_x * part[2], part[1] - lean_y * part[2]
        x1, y1 = part[4] - lean_x * part[6], part[5] - lean_y * part[6]
        u0, v0 = _project(x0, y0, 0.0, camera, homography)
        u1, v1 = _project(x1, y1, 0.0, camera, homography)
        right, _ = _project(x0 + 1.0, y0, 0.0, camera, homography)
        _, far = _project(x0, y0 + 1.0, 0.0, camera, homography)
        scale_x, scale_y = (right - u0) / 2, (v0 - far) / 2
        u0, v0, u1, v1 = u0 / 2, v0 / 2, u1 / 2, v1 / 2
        soft0, soft1 = 2.5 + 0.22 * max(part[2], 0.0), 2.5 + 0.22 * max(part[6], 0.0)
        margin = max(part[3] + soft0, part[7] + soft1)
        left = max(0, int(np.floor(min(u0, u1) - margin * scale_x)))
        end = min(columns, int(np.ceil(max(u0, u1) + margin * scale_x)) + 1)
        top = max(0, int(np.floor(min(v0, v1) - margin * scale_y)))
        bottom = min(rows, int(np.ceil(max(v0, v1) + margin * scale_y)) + 1)
        if left >= end or top >= bottom:
            continue
        box[0], box[1] = min(box[0], top * 2), max(box[1], bottom * 2)
        box[2], box[3] = min(box[2], left * 2), max(box[3], end * 2)
        axis_x, axis_y = (u1 - u0) / scale_x, (v0 - v1) / scale_y
        squared = axis_x * axis_x + axis_y * axis_y + 1e-9
        for row in range(top, bottom):
            y = (v0 - row - 0.5) / scale_y
            for column in range(left, end):
                x = (column + 0.5 - u0) / scale_x
                along = min(max((x * axis_x + y * axis_y) / squared, 0.0), 1.0)
                away_x, away_y = x - along * axis_x, y - along * axis_y
                radius = part[3] + along * (part[7] - part[3])
                soft = soft0 + along * (soft1 - soft0)
                distance_squared = away_x * away_x + away_y * away_y
                if distance_squared < (radius + soft) * (radius + soft):
                    dark = min(max((radius + soft - np.sqrt(distance_squared)) / (2 * soft), 0.0), 1.0)
                    dark = dark * dark * (3.0 - 2.0 * dark)
                    if dark > shadow[row, column]:
                        shadow[row, column] = dark


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
def film_hand(
    frame,
    hand,
    tips,
    wrists,
    camera,
    homography,
    light,
    look,
    shutter,
    edge,
    grain,
    cover,
    hands,
    shadow,
    buffers,
):
    """Expose one hand: one to three sub-exposures as it moves slowly or fast, softened by the lens, and its
    shadow.

    Parameters
    ----------
    frame, hand : int
    tips, wrists : np.ndarray
        The whole recording's tracks.
    camera, homography, light : np.ndarray
    look : np.ndarray, shape (6,)
        Skin level, nail contrast, sleeve level, 1 for stripes, size, cuff.
    shutter, edge : float
        Share of a frame that the shutter is open; outer weight of the lens's three-tap blur.
    grain : np.ndarray
        Noise, of which the first 4096 numbers give the skin its texture.
    cover, hands : np.ndarray, shape (rows, columns), float32, zero
        Filled with the hand's opacity and its grey levels times opacity.
    shadow : np.ndarray, float32, zero
        Filled with the shadow, at half the size.
    buffers : np.ndarray, shape (4, rows, columns), float32, zero
        Scratch; zero again afterwards but for the last.

    Returns
    -------
    box : np.ndarray, shape (4,)
        First and last row, first and last column that may have changed; empty where first >= last.
    """
    rows, columns = cover.shape
    height, alpha, colour, swap = buffers[0], buffers[1], buffers[2], buffers[3]
    parts = np.zeros((_CAPSULES, 9))
    box, whole = np.zeros(4, np.int64), np.zeros(4, np.int64)
    before, after = max(frame - 1, 0), min(frame + 1, len(tips) - 1)
    farthest = 0.0
    for finger in range(5):
        for axis in range(2):
            moved = abs(tips[after, hand, finger, axis] - tips[before, hand, finger, axis]) / 2
            farthest = max(farthest, moved)
    exposures = 1 if farthest * shutter < 2.0 else (2 if farthest * shutter < 6.0 else 3)
    whole[0], whole[1], whole[2], whole[3] = rows, 0, columns, 0
    count = 0
    for exposure in range(exposures):
        at = shutter * ((exposure + 0.5) / exposures - 0.5)
        other = after if at > 0 else before
        share = abs(at)
        tip = tips[frame, hand] * (1.0 - share) + tips[other, hand] * share
        wrist = wrists[frame, hand] * (1.0 - share) + wrists[other, hand] * share
        count = _pose(tip, wrist, 1.0 if hand == 1 else -1.0, look[4], look[5], parts)
        box[0], box[1], box[2], box[3] = rows, 0, columns, 0
        _draw(parts, count, camera, homography, light, look, grain, height, alpha, colour, box)
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
    box[0], box[1] = max(0, whole[0] - 1), min(rows, whole[1] + 1)
    box[2], box[3] = max(0, whole[2] - 1), min(columns, whole[3] + 1)
    # The last sub-exposure's pose casts the shadow: its edges are too soft to show the others.
    _cast(parts, count, camera, homography, light, shadow, whole)
    if box[0] < box[1] and box[2] < box[3]:
        _soften(cover, swap, edge, box)
        _soften(hands, swap, edge, box)
    whole[0], whole[1] = max(0, whole[0] - 2), min(rows, whole[1] + 2)
    whole[2], whole[3] = max(0, whole[2] - 2), min(columns, whole[3] + 2)
    return whole
