"""Bones and flesh of a hand: the capsules that lie between ten fingertips and two wrists."""

from __future__ import annotations

import numpy as np
from numba import njit

CAPSULES, EXPOSURES = 23, 3
"""How many a hand has at most, and in how many places a moving one is seen within a frame at most."""
ROOT, FINGER, TIP, PALM, ARM, SLEEVE = 0, 1, 2, 3, 4, 5
"""Kinds of capsule: a finger's first bone, middle and last one, back of the hand, forearm, sleeve."""
# By finger 0..4 (thumb to little): knuckles across the hand, along it (share of the palm), below its ridge;
# length from the knuckle to the middle of the fingertip; radii at knuckle, both joints and tip. All in mm.
_ACROSS = np.array([-21.0, -25.0, -6.0, 12.0, 29.0])
_ALONG = np.array([0.20, 0.99, 1.03, 0.97, 0.87])
_BELOW = np.array([21.0, 2.0, 0.0, 3.0, 9.0])
_LENGTH = np.array([98.0, 86.0, 95.0, 89.0, 69.0])
_RADII = np.array(
    [
        [13.5, 11.6, 10.9, 9.9],
        [11.0, 9.7, 8.8, 7.9],
        [11.2, 10.0, 9.0, 8.0],
        [10.7, 9.4, 8.5, 7.6],
        [9.6, 8.2, 7.4, 6.7],
    ]
)
_PALM_LENGTH = 88.0
_BONES = np.array([0.48, 0.29, 0.23])
"""Shares of a finger's three bones in its length."""
_COUPLED = 1.6
"""The outer joint bends 0.6 times as far as the middle one: tendons couple them."""
_MOST_BENT = 1.75
_STEEPEST = 0.35
"""Radians by which the first bone of a finger rises from the knuckle at most."""
_UNBENT = 165.0
"""mm from the tracks' wrist to the middle of the fingertips of a hand at rest."""


@njit(cache=True)
def _put(parts, index, start, stop, start_radius, stop_radius, kind):
    parts[index, 0:3] = start
    parts[index, 3] = start_radius
    parts[index, 4:7] = stop
    parts[index, 7] = stop_radius
    parts[index, 8] = kind
    along = (stop - start) / (np.sqrt(((stop - start) ** 2).sum()) + 1e-9)
    parts[index, 9:12] = along
    parts[index, 12:15] = along
    return index + 1


@njit(cache=True)
def _bend(length, chord):
    """How far above the line from knuckle to fingertip, in radians, a finger's first bone points that spans
    ``chord`` with its middle joint bent by some angle and its outer joint by 0.6 of it; and by how much the
    finger is too short."""
    first, second, third = _BONES[0] * length, _BONES[1] * length, _BONES[2] * length
    angle = np.sqrt(max(0.0, 1.0 - chord / length) * 3.6)
    ahead, under, span = length, 0.0, length
    for _ in range(4):
        angle = min(max(angle, 0.02), _MOST_BENT)
        near, far = np.cos(angle), np.cos(_COUPLED * angle)
        low, lower = np.sin(angle), np.sin(_COUPLED * angle)
        ahead, under = first + second * near + third * far, second * low + third * lower
        span = np.sqrt(ahead * ahead + under * under)
        rate = under * (second * near + _COUPLED * third * far)
        rate -= ahead * (second * low + _COUPLED * third * lower)
        angle -= (span - chord) / min(rate / span, -1.0)
    return np.arctan2(under, ahead), max(1.0, chord / span)


@njit(cache=True)
def _curl(joints, length):
    """Fill in the two joints between a finger's knuckle and its tip, shape (4, 3), in the upright plane
    through both."""
    span_x, span_y = joints[3, 0] - joints[0, 0], joints[3, 1] - joints[0, 1]
    fall = joints[0, 2] - joints[3, 2]
    span = np.sqrt(span_x * span_x + span_y * span_y) + 1e-6
    lead, stretch = _bend(length, np.sqrt(span * span + fall * fall))
    up = min(lead - np.arctan2(fall, span), _STEEPEST)
    first, second, third = _BONES * (length * stretch)
    out, rise = first * np.cos(up), first * np.sin(up)
    # The two outer bones form a triangle over what is left of the way.
    rest_out, rest_rise = span - out, -fall - rise
    rest = np.sqrt(rest_out * rest_out + rest_rise * rest_rise) + 1e-6
    on = min((rest * rest + second * second - third * third) / (2.0 * rest), second)
    off = np.sqrt(max(0.0, second * second - on * on))
    knee_out = out + (on * rest_out - off * rest_rise) / rest
    knee_rise = rise + (on * rest_rise + off * rest_out) / rest
    for joint, way, height in ((1, out, rise), (2, knee_out, knee_rise)):
        joints[joint, 0] = joints[0, 0] + way / span * span_x
        joints[joint, 1] = joints[0, 1] + way / span * span_y
        joints[joint, 2] = joints[0, 2] + height


@njit(cache=True)
def _pose(tips, wrist, side, look, parts):
    """Capsules of one hand.

    Parameters
    ----------
    tips : np.ndarray, shape (5, 3)
        Undersides of the fingertips in mm, thumb first.
    wrist : np.ndarray, shape (3,)
    side : float
        +1 for a right hand, -1 for a left one.
    look : np.ndarray
        See :func:`.skin.film_hand`.
    parts : np.ndarray, shape (CAPSULES, 15)
        Filled with start (x, y, z), radius, end (x, y, z), radius, kind, and the finger's direction at start
        and end.

    Returns
    -------
    int
        How many capsules were filled.
    """
    scale, cuff, curl = look[4], look[5], look[8]
    middle_x = 0.15 * tips[1, 0] + 0.35 * tips[2, 0] + 0.35 * tips[3, 0] + 0.15 * tips[4, 0]
    middle_y = 0.15 * tips[1, 1] + 0.35 * tips[2, 1] + 0.35 * tips[3, 1] + 0.15 * tips[4, 1]
    ahead_x, ahead_y = middle_x - wrist[0], middle_y - wrist[1]
    reach = np.sqrt(ahead_x * ahead_x + ahead_y * ahead_y) + 1e-6
    ahead = np.array([ahead_x / reach, ahead_y / reach, 0.0])
    across = np.array([side * ahead[1], -side * ahead[0], 0.0])
    # The knuckles stand closer to the fingertips the more the fingers are curled, and follow them halfway.
    ridge = _UNBENT - (80.0 - 26.0 * curl) * scale + 0.45 * (reach - _UNBENT)
    heel = wrist + (ridge - _PALM_LENGTH * scale) * ahead
    heel[2] = 0.0
    knuckle_z = 42.0 + 14.0 * curl + 1.2 * (wrist[2] - 52.0)
    knuckle_z = max(knuckle_z, 30.0) * (0.5 + 0.5 * scale)
    joints = np.zeros((5, 4, 3))
    for finger in range(5):
        joints[finger, 0] = heel + (_PALM_LENGTH * _ALONG[finger] * ahead + _ACROSS[finger] * across) * scale
        joints[finger, 0, 2] = knuckle_z - _BELOW[finger] * scale
        joints[finger, 3] = tips[finger]
        joints[finger, 3, 2] += _RADII[finger, 3] * scale * 0.9
    for finger in range(1, 5):
        _curl(joints[finger], _LENGTH[finger] * scale)
    # The thumb's joints lie outside of the line from its root to its tip by what its bones have to spare.
    line = joints[0, 3] - joints[0, 0]
    spare = max(0.0, (_LENGTH[0] * scale) ** 2 - (line * line).sum())
    out = min(0.42 * np.sqrt(spare), 24.0 * scale) + 3.0
    for joint, share, bulge in ((1, 0.47, 1.0), (2, 0.77, 0.62)):
        joints[0, joint] = joints[0, 0] + share * line - out * bulge * across
        joints[0, joint, 2] += 0.25 * out * bulge

    count = 0
    arm = heel.copy()
    arm[2] = knuckle_z - 16.0
    for finger in range(1, 5):
        base = arm + 0.5 * _ACROSS[finger] * scale * across
        base[2] = knuckle_z - 12.0
        # Skin joins the fingers for a third of their first bones.
        head = joints[finger, 0] + 0.3 * (joints[finger, 1] - joints[finger, 0])
        head[2] -= 2.0
        count = _put(parts, count, base, head, 17.0 * scale, 11.5 * scale, PALM)
    web = 0.85 * joints[1, 0] + 0.15 * joints[1, 1]
    web[2] -= 6.0
    ball = 0.4 * joints[0, 0] + 0.6 * joints[0, 1]
    count = _put(parts, count, ball, web, 12.0 * scale, 10.0 * scale, PALM)
    count = _put(parts, count, arm, ball, 19.0 * scale, 12.5 * scale, PALM)
    for finger in range(5):
        begin = count
        for bone in range(3):
            kind = ROOT if bone == 0 else (TIP if bone == 2 else FINGER)
            start_radius, stop_radius = _RADII[finger, bone] * scale, _RADII[finger, bone + 1] * scale
            root = joints[finger, bone].copy()
            if bone == 0 and finger > 0:
                root[2] -= 4.0
            count = _put(parts, count, root, joints[finger, bone + 1], start_radius, stop_radius, kind)
        # Light turns smoothly over a joint.
        for bone in range(begin, begin + 2):
            turn = 0.5 * (parts[bone, 12:15] + parts[bone + 1, 9:12])
            parts[bone, 12:15] = turn
            parts[bone + 1, 9:12] = turn
    # What lies lowest comes last: most of it is hidden, and costs little.
    elbow = np.array([heel[0] + side * 45.0 - 62.0 * ahead[0], heel[1] - 250.0, wrist[2] + 20.0])
    count = _put(parts, count, arm, elbow, 26.0 * scale, 37.0 * scale, ARM)
    if cuff > -900.0:
        start = arm + cuff * ahead
        start[2] += 12.0
        count = _put(parts, count, start, elbow, 34.0 * scale, 46.0 * scale, SLEEVE)
    return count


@njit(cache=True)
def pose(frame, hand, tips, wrists, look, shutter, parts):
    """One hand as it is seen while the shutter is open: once, or twice or three times where it moves fast.

    Parameters
    ----------
    frame, hand : int
        Hand 0 is the left one.
    tips, wrists : np.ndarray, shapes (T, 2, 5, 3) and (T, 2, 3), float32
        ``HandTracks``.
    look : np.ndarray, shape (9,)
        See :func:`.skin.film_hand`.
    shutter : float
        Share of a frame that the shutter is open.
    parts : np.ndarray, shape (EXPOSURES, CAPSULES, 15)
        Filled with capsules: start (x, y, z), radius, end (x, y, z), radius, kind, and the direction at
        either end.

    Returns
    -------
    exposures, capsules : int
        How many of ``parts`` were filled.
    """
    before, after = max(frame - 1, 0), min(frame + 1, len(tips) - 1)
    farthest = 0.0
    for finger in range(5):
        for axis in range(2):
            moved = abs(tips[after, hand, finger, axis] - tips[before, hand, finger, axis]) / 2
            farthest = max(farthest, moved)
    exposures = 1 if farthest * shutter < 2.5 else (2 if farthest * shutter < 7.0 else 3)
    count = 0
    for exposure in range(exposures):
        at = shutter * ((exposure + 0.5) / exposures - 0.5)
        other = after if at > 0 else before
        share = abs(at)
        tip = tips[frame, hand] * (1.0 - share) + tips[other, hand] * share
        wrist = wrists[frame, hand] * (1.0 - share) + wrists[other, hand] * share
        count = _pose(tip, wrist, 1.0 if hand == 1 else -1.0, look, parts[exposure])
    return exposures, count
