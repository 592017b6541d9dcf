"""From points on numbered black keys to the plane of the keys: where x is, where the keys begin and end in
depth.

The reading frame: x in mm from the left edge of the A below black key 0, along the row; y in mm, 0 at the
front edge of the white keys and 150 at their far end, once both are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from audeo_bench.keyboard import WHITE_LENGTH
from audeo_bench.keyboard.edges import Lanes
from audeo_bench.keyboard.levelled import SCALE, Levelled, gradients, level, running_median
from audeo_bench.keyboard.rhythm import Rhythm, black_x

LEAST_KEYS = 6


@dataclass(frozen=True)
class Plane:
    """The plane of the keys in a picture.

    Attributes
    ----------
    matrix : np.ndarray, shape (3, 3)
        From the picture's pixels to the reading frame.
    upside_down : bool
        The player sits above: y grows downwards in the picture.
    numbers : np.ndarray, shape (keys,), int
        The black keys that were found.
    bend : np.ndarray, shape (keys,)
        How far each stands to the right of where the plane has it, mm: the lens bends, and black keys are
        higher than white ones.
    residual : float
        Mean distance in mm of the points from the keys' middles.
    side_margin : float
        How much clearer the near side is near than the far one, 0 where nothing tells.
    front, far : float
        How clearly the front edge and the far end are seen, 0..1.
    """

    matrix: np.ndarray
    upside_down: bool
    numbers: np.ndarray
    bend: np.ndarray
    residual: float
    side_margin: float
    front: float
    far: float

    def bent(self, x: np.ndarray) -> np.ndarray:
        """Where x of the keyboard is seen in the reading frame, mm."""
        return x + np.interp(x, black_x(self.numbers), self.bend)


def fit_x(points: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, float]:
    """The first and third row of a homography that maps pixels to x, robustly; and the mean miss in mm.

    Returns
    -------
    rows : np.ndarray, shape (2, 3)
    miss : float
    """
    centre, unit = points.mean(0), 100.0
    u, v = ((points - centre) / unit).T
    x = black_x(numbers).astype(float)
    middle, span = x.mean(), max(1.0, float(np.ptp(x)))
    goal = (x - middle) / span
    system = np.stack([u, v, np.ones_like(u), -goal * u, -goal * v], 1)
    solution = np.linalg.lstsq(system, goal, rcond=None)[0]
    miss = goal
    for step in range(10):
        depth = np.maximum(solution[3] * u + solution[4] * v + 1, 0.05)
        place = (solution[:3] @ [u, v, np.ones_like(u)]) / depth
        miss = (goal - place) * span
        # Gauss-Newton; from a bounded pull of far points to hardly any.
        spread = max(0.7, 1.48 * float(np.median(np.abs(miss))))
        ratio = np.abs(miss) / (2 * spread)
        weight = 1 / (1 + ratio) if step < 5 else 1 / (1 + ratio**2) ** 2
        slopes = np.stack([u, v, np.ones_like(u), -place * u, -place * v], 1) / depth[:, None]
        normal = slopes.T @ (slopes * weight[:, None])
        pull = slopes.T @ (weight * miss / span)
        solution = solution + np.linalg.solve(normal + 1e-9 * np.trace(normal) * np.eye(5), pull)
    first = span * solution[:3] + middle * np.array([solution[3], solution[4], 1.0])
    move = np.array([[1 / unit, 0, -centre[0] / unit], [0, 1 / unit, -centre[1] / unit], [0, 0, 1]])
    rows = np.array([first, [solution[3], solution[4], 1.0]]) @ move
    return rows, float(np.median(np.abs(miss)))


def provisional(rhythm: Rhythm) -> tuple[np.ndarray, float]:
    """A plane with y = 0 on the rhythm's row, y upwards in the picture, and as many pixels a mm across as
    along.
    """
    rows, miss = fit_x(rhythm.points, rhythm.numbers)
    (x0, y0), (x1, y1) = rhythm.line
    line = np.array([y0 - y1, x1 - x0, (y1 - y0) * x0 - (x1 - x0) * y0])
    matrix = np.array([rows[0], line if line[1] < 0 else -line, rows[1]])
    return _isotropic(matrix, rhythm.points.mean(0)), miss


def _isotropic(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    along, across = gradients(matrix, point)
    scaled = matrix.copy()
    scaled[1] *= np.hypot(*along) / np.hypot(*across)
    return scaled


def find_plane(picture: np.ndarray, rhythm: Rhythm) -> Plane:
    """The plane of the keys: which side is the player's, and where the white keys begin and end in depth.

    Parameters
    ----------
    picture : np.ndarray, shape (height, width), uint8
        The one that the rhythm was found in.
    rhythm : Rhythm
    """
    matrix, miss = provisional(rhythm)
    numbers = np.unique(rhythm.numbers)
    canvas = level(picture, matrix, float(black_x(numbers).mean()))
    sides = []
    for turned in (False, True):
        view = Lanes.of(canvas.turned() if turned else canvas, numbers)
        top, bottom = view.black_zone()
        near, beyond = view.nearness(bottom, 1), view.nearness(top, -1)
        front_line, front = view.front_edge(top, bottom)
        far_line, far = view.far_edge(top, bottom)
        sides.append((near - beyond + front + 0.5 * far, turned, front_line, far_line, front, far))
    sides.sort(key=lambda side: side[0], reverse=True)
    score, turned, front_line, far_line, front, far = sides[0]
    margin = score - sides[1][0]
    ends = np.array([canvas.left, canvas.left + (canvas.grey.shape[1] - 1) / SCALE])
    rows = np.concatenate([far_line(ends), front_line(ends)])
    if turned:
        rows = len(canvas.grey) - 1 - rows
    found = np.stack([np.tile(ends, 2), canvas.top - rows / SCALE], 1)
    film = cv2.perspectiveTransform(found[:, None], np.linalg.inv(matrix))[:, 0]
    bend = np.zeros(len(numbers))
    return Plane(_with_depth(matrix, film), turned, numbers, bend, miss, float(margin), front, far)


def _with_depth(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The matrix whose y is 150 on the first two points and 0 on the last two, x as before (least
    squares).
    """
    homogeneous = np.column_stack([points, np.ones(4)])
    depth = homogeneous @ matrix[2]
    goal = np.array([WHITE_LENGTH, WHITE_LENGTH, 0.0, 0.0]) * depth
    centre, unit = points.mean(0), np.abs(points - points.mean(0)).max()
    scaled = np.column_stack([(points - centre) / unit, np.ones(4)])
    solution = np.linalg.lstsq(scaled, goal, rcond=None)[0]
    row = np.array([solution[0] / unit, solution[1] / unit, solution[2] - solution[:2] @ centre / unit])
    return np.array([matrix[0], row, matrix[2]])


def extend(picture: np.ndarray, rhythm: Rhythm, plane: Plane) -> tuple[Plane, Levelled] | None:
    """Number the black keys that the rhythm's row did not show, outwards from those that it did, and fit the
    plane to all; and the picture levelled by it. None where too few black keys stand in the plane.
    """
    numbers, matrix, miss = plane.numbers, plane.matrix, plane.residual
    view = level(picture, matrix, float(black_x(numbers).mean()), 75.0, 150.0)
    for _ in range(2):
        rows = np.round(view.rows(np.arange(70.0, 140.0, 2.0))).astype(int)
        profile = np.median(view.grey[rows], 0)
        seen = view.seen[rows].mean(0) > 0.6
        found = _dips(view, profile, seen, numbers)
        if len(found) < LEAST_KEYS:
            return None
        points = np.array([[x, y] for _, x in found for y in (80.0, 105.0, 130.0)])
        film = cv2.perspectiveTransform(points[:, None], np.linalg.inv(matrix))[:, 0]
        keys = np.repeat([number for number, _ in found], 3)
        known = np.isin(rhythm.numbers, [number for number, _ in found])
        # As many of the points that were followed as of those that were not.
        every = max(1, int(known.sum() / max(1, len(keys))))
        followed = np.nonzero(known)[0][::every]
        rows_x, miss = fit_x(
            np.concatenate([film, rhythm.points[followed]]), np.concatenate([keys, rhythm.numbers[followed]])
        )
        ends = np.array([[x, y] for y in (WHITE_LENGTH, 0.0) for x in black_x(numbers[[0, -1]])])
        edges = cv2.perspectiveTransform(ends[:, None], np.linalg.inv(matrix))[:, 0]
        matrix = _with_depth(np.array([rows_x[0], rows_x[0], rows_x[1]]), edges)
        grown = np.unique([number for number, _ in found])
        view = level(picture, matrix, float(black_x(numbers).mean()), 75.0, 150.0)
        if len(grown) == len(numbers):
            numbers = grown
            break
        numbers = grown
    lanes = Lanes.of(view, numbers)
    front_line, front = lanes.edge(float(view.rows(0.0)), 12 * SCALE, True)
    far_line, far = lanes.edge(float(view.rows(WHITE_LENGTH)), 12 * SCALE, False)
    ends = black_x(numbers[[0, -1]])
    found = np.concatenate(
        [np.stack([ends, view.top - line(ends) / SCALE], 1) for line in (far_line, front_line)]
    )
    film = cv2.perspectiveTransform(found[:, None], np.linalg.inv(matrix))[:, 0]
    matrix = _with_depth(matrix, film)
    view = level(picture, matrix, float(black_x(numbers).mean()), 75.0, 150.0)
    at = np.round(view.rows(np.arange(70.0, 140.0, 2.0))).astype(int)
    dips = _dips(view, np.median(view.grey[at], 0), view.seen[at].mean(0) > 0.6, numbers)
    numbers = np.array([number for number, _ in dips])
    bend = running_median(np.array([x for _, x in dips]) - black_x(numbers), 5)
    return replace(
        plane, matrix=matrix, numbers=numbers, bend=bend, residual=miss, front=front, far=far
    ), view


def _dips(
    view: Levelled, profile: np.ndarray, seen: np.ndarray, numbers: np.ndarray
) -> list[tuple[int, float]]:
    """Black keys and where they are seen, x in mm. Outwards from the middle of those known, each is looked
    for where the misses of the last ones lead.
    """
    found: dict[int, float] = {}
    start = int(numbers[len(numbers) // 2])
    for step, number in ((1, start), (-1, start - 1)):
        inner = sorted(found)[:4]
        misses, hidden = [found[key] - float(black_x(key)) for key in inner[::-1]], 0
        while hidden < 6:
            place = float(black_x(number))
            expected = place + (float(np.median(misses[-3:])) if misses else 0.0)
            column = int(view.columns(expected))
            if not 4 < column < len(profile) - 4 or not seen[column]:
                break
            x = _dip(view, profile, expected)
            hidden = 0 if x is not None else hidden + 1
            if x is not None:
                found[number] = x
                misses.append(x - place)
            number += step
    return sorted(found.items())


def _dip(view: Levelled, profile: np.ndarray, expected: float) -> float | None:
    """The middle of the dark run at an expected x, mm; None where there is none of a black key's width."""
    low, high = (round(float(c)) for c in view.columns(np.array([expected - 24.0, expected + 24.0])))
    low, high = max(0, low), min(len(profile), high + 1)
    part = profile[low:high]
    if len(part) < 12:
        return None
    x = view.left + np.arange(low, high) / SCALE
    near = np.abs(x - expected) < 7.0
    floor = part[near].min()
    before, after = part[x < expected].max(initial=0), part[x > expected].max(initial=0)
    wing = min(before, after)
    # Both neighbours are white keys in much the same light.
    if wing - floor < max(6.0, 0.25 * wing) or wing < 0.55 * max(before, after):
        return None
    dark = part < 0.5 * (wing + floor)
    at = int(np.nonzero(near)[0][part[near].argmin()])
    first, last = at, at
    while first > 0 and dark[first - 1]:
        first -= 1
    while last + 1 < len(part) and dark[last + 1]:
        last += 1
    width = (last - first + 1) / SCALE
    middle = 0.5 * (x[first] + x[last])
    return float(middle) if 5.0 < width < 25.0 and abs(middle - expected) < 7.0 else None
