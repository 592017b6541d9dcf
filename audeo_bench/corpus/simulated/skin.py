"""Hands as the camera sees them: capsules with light, nails, sleeves and a shadow."""

from __future__ import annotations

import numpy as np
from numba import njit

# The kinds of `anatomy.py`; compiled functions read constants of their own file alone.
_ROOT, _FINGER, _TIP, _PALM, _ARM, _SLEEVE = 0, 1, 2, 3, 4, 5


@njit(cache=True)
def _ray(x: float, y: float, z: float, camera: np.ndarray) -> tuple[float, float, float]:
    """Where on the key plane a point z mm above it is seen, and how much larger it appears there."""
    spread = 1.0 / (1.0 - z / camera[2])
    return camera[0] + (x - camera[0]) * spread, camera[1] + (y - camera[1]) * spread, spread


@njit(cache=True)
def _pixel(x: float, y: float, homography: np.ndarray) -> tuple[float, float]:
    """Column and row of a point of the key plane."""
    depth = homography[2, 0] * x + homography[2, 1] * y + homography[2, 2]
    column = (homography[0, 0] * x + homography[0, 1] * y + homography[0, 2]) / depth
    row = (homography[1, 0] * x + homography[1, 1] * y + homography[1, 2]) / depth
    return column, row


@njit(cache=True)
def _per_pixel(x: float, y: float, homography: np.ndarray) -> tuple[float, float, float, float]:
    """mm of the key plane by pixel there: dx/dcolumn, dx/drow, dy/dcolumn, dy/drow."""
    column, row = _pixel(x, y, homography)
    right_column, right_row = _pixel(x + 1.0, y, homography)
    far_column, far_row = _pixel(x, y + 1.0, homography)
    a, b = right_column - column, far_column - column
    c, d = right_row - row, far_row - row
    area = a * d - b * c
    return d / area, -b / area, -c / area, a / area


@njit(cache=True)
def _colour(kind, along, length, offset, radius, height, lit, facing, look):
    """Grey level of a point of a capsule; ``offset`` is its signed distance from the axis as it is seen."""
    hard = look[6]
    if kind == _SLEEVE:
        level = look[2]
        if look[3] > 0.5:
            level *= 0.55 + 0.9 * (np.sin(along * length * 0.45) > 0.0)
        fold = np.sin(along * length * 0.16 + offset * 0.11) + 0.6 * np.sin(
            along * length * 0.37 - offset * 0.2
        )
        return level * (0.3 + 0.72 * lit) * (1.0 + 0.07 * fold)
    level = look[0]
    if kind <= _TIP:
        # Over the joints skin gathers and lies a little darker.
        near = 1.0 - along if kind == _ROOT else (along if kind == _TIP else min(along, 1.0 - along))
        near *= length
        if near < 6.0:
            near = 1.0 - near / 6.0
            level *= 1.0 - look[7] * near * near
    if kind == _TIP:
        nail_x, nail_y = offset / (0.62 * radius), (along * length - length * 0.86) / (0.5 * length + 2.0)
        inside = nail_x * nail_x + nail_y * nail_y
        if inside < 1.0:
            level *= 1.0 + look[1] * min(1.0, 3.0 * (1.0 - inside))
    # Less daylight reaches what lies low between other fingers, and what looks away from the camera.
    light = (1.0 - hard) * (0.56 + 0.44 * facing) + hard * (0.16 + 0.9 * lit)
    return level * light * (0.74 + 0.26 * min(1.0, max(0.0, height) / 46.0))


@njit(cache=True)
def _reached(u0, v0, u1, v1, a, b, c, d, widest, rows, columns):
    """The pixels within ``widest`` mm of a line: first column, the one after the last, the same of the rows.

    ``a, b, c, d`` are millimetres per pixel, as :func:`_per_pixel` gives them.
    """
    area = abs(a * d - b * c)
    margin_u = widest * np.sqrt(d * d + b * b) / area
    margin_v = widest * np.sqrt(a * a + c * c) / area
    left = max(0, int(np.floor(min(u0, u1) - margin_u)))
    end = min(columns, int(np.ceil(max(u0, u1) + margin_u)) + 1)
    top = max(0, int(np.floor(min(v0, v1) - margin_v)))
    bottom = min(rows, int(np.ceil(max(v0, v1) + margin_v)) + 1)
    return left, end, top, bottom


@njit(cache=True)
def _draw(parts, count, camera, homography, light, look, height, alpha, colour, box):
    """Draw capsules by height into ``colour`` (premultiplied) and ``alpha``; ``box`` grows by them."""
    rows, columns = alpha.shape
    for index in range(count):
        part = parts[index]
        x0, y0, _ = _ray(part[0], part[1], part[2], camera)
        x1, y1, _ = _ray(part[4], part[5], part[6], camera)
        u0, v0 = _pixel(x0, y0, homography)
        u1, v1 = _pixel(x1, y1, homography)
        # Around its middle, the capsule is seen along one direction, at one scale: pixels are turned into mm
        # of the plane across that direction, in which a ball is a disc however oblique the view.
        middle_z = 0.5 * (part[2] + part[6])
        middle_x, middle_y, spread = _ray(
            0.5 * (part[0] + part[4]), 0.5 * (part[1] + part[5]), middle_z, camera
        )
        a, b, c, d = _per_pixel(middle_x, middle_y, homography)
        to_x, to_y = camera[0] - middle_x, camera[1] - middle_y
        away_squared = to_x * to_x + to_y * to_y
        distance = np.sqrt(away_squared + camera[2] * camera[2])
        upright = camera[2] / distance
        lean_x, lean_y = to_x / distance, to_y / distance
        squeeze = 1.0 / (1.0 + upright)
        m00, m01 = 1.0 - squeeze * lean_x * lean_x, -squeeze * lean_x * lean_y
        m11 = 1.0 - squeeze * lean_y * lean_y
        a, b, c, d = (
            (m00 * a + m01 * c) / spread,
            (m00 * b + m01 * d) / spread,
            (m01 * a + m11 * c) / spread,
            (m01 * b + m11 * d) / spread,
        )
        widest = max(part[3], part[7]) + 0.75
        left, end, top, bottom = _reached(u0, v0, u1, v1, a, b, c, d, widest, rows, columns)
        if left >= end or top >= bottom:
            continue
        box[0], box[1] = min(box[0], top), max(box[1], bottom)
        box[2], box[3] = min(box[2], left), max(box[3], end)
        axis_x, axis_y = a * (u1 - u0) + b * (v1 - v0), c * (u1 - u0) + d * (v1 - v0)
        squared = axis_x * axis_x + axis_y * axis_y + 1e-9
        length = np.sqrt(squared)
        inverse, per_length = 1.0 / squared, 1.0 / length
        kind = int(part[8])
        # How round it is lit: the back of the hand is flatter than a finger, and turns into it smoothly.
        flat_start = 0.4 if kind in (_PALM, _ROOT) else (0.8 if kind >= _ARM else 0.95)
        flatter = 0.55 if kind == _ROOT else 0.0
        # The lamp, and how steeply the finger runs away from the camera, in the camera's own directions.
        tilted = lean_x * light[0] + lean_y * light[1]
        light_x = light[0] - lean_x * (light[2] + squeeze * tilted)
        light_y = light[1] - lean_y * (light[2] + squeeze * tilted)
        light_z = tilted + upright * light[2]
        start_fall = -(lean_x * part[9] + lean_y * part[10] + upright * part[11])
        start_fall = min(max(start_fall, -0.8), 0.8)
        stop_fall = -(lean_x * part[12] + lean_y * part[13] + upright * part[14])
        stop_fall = min(max(stop_fall, -0.8), 0.8)
        # Nothing of it is nearer to the camera than this; what is drawn already hides the rest.
        highest = max(part[2] + part[3], part[6] + part[7])
        side_step = (a * axis_y - c * axis_x) * per_length
        for row in range(top, bottom):
            down = row + 0.5 - v0
            first, last = left, end
            if length > 1.0 and abs(side_step) > 1e-3:
                # Only these columns come near the axis, however long a slanting capsule is.
                centre = u0 - 0.5 - (b * axis_y - d * axis_x) * per_length * down / side_step
                half = widest / abs(side_step)
                first = max(left, int(np.floor(centre - half)))
                last = min(end, int(np.ceil(centre + half)) + 1)
            for column in range(first, last):
                if highest <= height[row, column] and alpha[row, column] > 0.995:
                    continue
                x = a * (column + 0.5 - u0) + b * down
                y = c * (column + 0.5 - u0) + d * down
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
                level_z = part[2] + along * (part[6] - part[2]) + radius * up * upright
                level_z -= lean_x * away_x + lean_y * away_y
                if level_z <= height[row, column] and alpha[row, column] > 0.995:
                    continue
                flat = flat_start + along * flatter
                facing = 1.0 - flat * (1.0 - up)
                fall = start_fall + along * (stop_fall - start_fall)
                ahead = fall * facing * per_length
                facing *= 1.0 - 0.5 * fall * fall
                lit = flat * per_radius * (away_x * light_x + away_y * light_y)
                lit = max(0.0, lit + ahead * (axis_x * light_x + axis_y * light_y) + facing * light_z)
                offset = (away_x * axis_y - away_y * axis_x) * per_length
                level = _colour(kind, along, length, offset, radius, level_z, lit, facing, look)
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
def _cast(parts, count, homography, light, shadow, box):
    """Soft shadow of capsules on the keys, in ``shadow`` at half the picture's size, 0 (none) to 1 (full)."""
    rows, columns = shadow.shape
    lean_x, lean_y = light[0] / light[2], light[1] / light[2]
    for index in range(count):
        part = parts[index]
        if part[8] == _PALM and index % 2:
            continue  # its neighbours' shadows cover its own
        x0, y0 = part[0] - lean_x * part[2], part[1] - lean_y * part[2]
        x1, y1 = part[4] - lean_x * part[6], part[5] - lean_y * part[6]
        u0, v0 = _pixel(x0, y0, homography)
        u1, v1 = _pixel(x1, y1, homography)
        u0, v0, u1, v1 = u0 / 2, v0 / 2, u1 / 2, v1 / 2
        a, b, c, d = _per_pixel(0.5 * (x0 + x1), 0.5 * (y0 + y1), homography)
        a, b, c, d = 2 * a, 2 * b, 2 * c, 2 * d
        soft0, soft1 = 2.5 + 0.22 * max(part[2], 0.0), 2.5 + 0.22 * max(part[6], 0.0)
        widest = max(part[3] + soft0, part[7] + soft1)
        left, end, top, bottom = _reached(u0, v0, u1, v1, a, b, c, d, widest, rows, columns)
        if left >= end or top >= bottom:
            continue
        box[0], box[1] = min(box[0], top * 2), max(box[1], bottom * 2)
        box[2], box[3] = min(box[2], left * 2), max(box[3], end * 2)
        axis_x, axis_y = a * (u1 - u0) + b * (v1 - v0), c * (u1 - u0) + d * (v1 - v0)
        inverse = 1.0 / (axis_x * axis_x + axis_y * axis_y + 1e-9)
        for row in range(top, bottom):
            down = row + 0.5 - v0
            for column in range(left, end):
                x = a * (column + 0.5 - u0) + b * down
                y = c * (column + 0.5 - u0) + d * down
                along = min(max((x * axis_x + y * axis_y) * inverse, 0.0), 1.0)
                away_x, away_y = x - along * axis_x, y - along * axis_y
                soft = soft0 + along * (soft1 - soft0)
                outside = part[3] + along * (part[7] - part[3]) + soft
                distance_squared = away_x * away_x + away_y * away_y
                if distance_squared < outside * outside:
                    dark = min(max((outside - np.sqrt(distance_squared)) / (2 * soft), 0.0), 1.0)
                    dark = dark * dark * (3.0 - 2.0 * dark)
                    if dark > shadow[row, column]:
                        shadow[row, column] = dark


@njit(cache=True)
def film_hand(parts, exposures, count, camera, homography, light, look, cover, hands, shadow, buffers):
    """Expose one hand, and its shadow.

    Parameters
    ----------
    parts : np.ndarray, shape (n, m, 15)
        Capsules of the hand's place in each sub-exposure, of :func:`.anatomy.pose`.
    exposures, count : int
        How many of them to draw.
    camera, homography, light : np.ndarray
        Place of the lens, (x, y, 1) on the key plane to (column, row, 1), unit vector towards the lamp.
    look : np.ndarray, shape (9,)
        Skin level, nail contrast, sleeve level, 1 for stripes, size, how far the sleeve reaches beyond the
        wrist in mm (below -900 for a bare arm), hardness of the light (0..1), depth of creases, curl (0..1).
    cover, hands : np.ndarray, shape (rows, columns), float32, zero
        Filled with the hand's opacity and its grey levels times opacity.
    shadow : np.ndarray, float32, zero
        Filled with the shadow, at half the size.
    buffers : np.ndarray, shape (3, rows, columns), float32, zero
        Scratch; zero again afterwards.

    Returns
    -------
    box : np.ndarray, shape (4,)
        First and last row, first and last column that may have changed; empty where first >= last.
    """
    rows, columns = cover.shape
    height, alpha, colour = buffers[0], buffers[1], buffers[2]
    box, whole = np.zeros(4, np.int64), np.zeros(4, np.int64)
    whole[0], whole[1], whole[2], whole[3] = rows, 0, columns, 0
    for exposure in range(exposures):
        box[0], box[1], box[2], box[3] = rows, 0, columns, 0
        _draw(parts[exposure], count, camera, homography, light, look, height, alpha, colour, box)
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
    _cast(parts[exposures - 1], count, homography, light, shadow, whole)
    whole[0], whole[1] = max(0, whole[0] - 2), min(rows, whole[1] + 2)
    whole[2], whole[3] = max(0, whole[2] - 2), min(columns, whole[3] + 2)
    return whole
