"""Finding the keyboard in a picture or a film: its four corners, which keys they enclose, and how sure that
is.

The black keys' rhythm says where keys are (:mod:`~audeo_bench.keyboard.rhythm`), edges how far they reach
towards the player and away (:mod:`~audeo_bench.keyboard.plane`), and the ends of the keyboard which keys
they are (:mod:`~audeo_bench.keyboard.boards`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.keyboard import OCTAVE, WHITE_LENGTH, WHITE_WIDTH
from audeo_bench.keyboard.boards import Board, Seen, boards, look, with_lowest_key
from audeo_bench.keyboard.levelled import Levelled
from audeo_bench.keyboard.plane import Plane, extend, find_plane
from audeo_bench.keyboard.rhythm import black_x, find_rhythms

__all__ = ["SURE", "Keyboard", "find_keyboard"]

SURE = 0.9
"""The confidence from which on an answer may be used without asking."""
SEARCHED_WIDTH = 640
"""Pictures are brought to this width: a white key of 88 is 12 pixels wide."""
LEAST_SHARE = 0.6
"""Keyboards with less than this share of the clearest one's black keys are not looked at."""
LEAST_CONFIDENCE = 0.3
"""Below this, text or falling notes stand in groups of two and three by chance."""
LEAST_TEXTURE = 2.0
"""Grey levels; drawn keys are all alike (0.4), real ones never: 3.7 is the least of 556 stills."""
A_MATCH = 0.55
"""The share of the best score from which on another keyboard in the picture is a rival."""


@dataclass(frozen=True)
class Keyboard:
    """A keyboard in a picture.

    Attributes
    ----------
    corners : np.ndarray, shape (4, 2), float64
        The outer corners of the white keys in pixels from the centre of the top left one: lowest key far (at
        the fallboard), highest far, highest near, lowest near. Of a whole keyboard those are A0 and C8,
        which may lie outside of the picture; of part of one, the lowest and highest key that the picture
    shows half of. lowest_key, highest_key : int
        MIDI pitches of those keys: 21 and 108 for a whole keyboard.
    confidence : float
        0..1; of answers above :data:`SURE` at least 97 % are right.
    runner_up : Keyboard or None
        The best answer that differs by a key or more, or is turned round.
    remark : str
        What the user should know, or empty.
    """

    corners: np.ndarray
    lowest_key: int
    highest_key: int
    confidence: float
    runner_up: Keyboard | None = None
    remark: str = ""


@dataclass(frozen=True)
class Candidate:
    """One rhythm in the picture, its plane, what is seen along it, and the boards that it may be, best
    first.
    """

    plane: Plane
    seen: Seen
    answers: list[Board]
    texture: float

    def corners(self, board: Board) -> np.ndarray:
        """In pixels of the picture that was searched: (4, 2)."""
        x = np.array([board.first, board.last + 1]) * WHITE_WIDTH
        if board.descending:
            x = OCTAVE - x
        keys = black_x(self.plane.numbers)
        own = (keys > x.min()) & (keys < x.max())
        if own.any():
            x = x + np.interp(x, keys[own], self.plane.bend[own])
        points = np.array([[x[0], WHITE_LENGTH], [x[1], WHITE_LENGTH], [x[1], 0.0], [x[0], 0.0]])
        return cv2.perspectiveTransform(points[:, None], np.linalg.inv(self.plane.matrix))[:, 0]


def find_keyboard(picture: np.ndarray, lowest_key: int | None = None) -> Keyboard:
    """Find the keyboard in a picture.

    Parameters
    ----------
    picture : np.ndarray, shape (height, width) or (height, width, 3), uint8
        Grey or RGB; for a film the median of its pictures, in which hands have moved away.
    lowest_key : int, optional
        MIDI pitch of the lowest key that is shown, where the user knows it.

    Raises
    ------
    AudeoBenchError
        The picture shows no keyboard or only a drawn one, or no key of the name of ``lowest_key`` near its
        lower end.
    """
    searched, scale = _searched(picture)
    candidates = find_candidates(searched)
    if not candidates:
        raise AudeoBenchError(
            "no keyboard found: nowhere do black keys stand in groups of two and three; give its corners."
        )
    real = [candidate for candidate in candidates if candidate.texture > LEAST_TEXTURE]
    if not real:
        raise AudeoBenchError(
            "no keyboard found but a drawn one, whose keys are all alike; give a film of a real keyboard."
        )
    order = _order(real)
    ranked = [(candidate, board) for candidate in order for board in candidate.answers]
    if lowest_key is not None:
        named = with_lowest_key(order[0].answers, order[0].seen, lowest_key)
        ranked = [(order[0], named), *ranked]
    (candidate, best), rest = ranked[0], ranked[1:]
    other = next((pair for pair in rest if _differs(pair, (candidate, best), len(order))), None)
    confidence = _confidence(candidate, best, other)
    if confidence < LEAST_CONFIDENCE * best.octave:
        raise AudeoBenchError(
            f"no keyboard found (the likeliest has a confidence of {confidence:.2f}); give its corners."
        )
    found = _keyboard(candidate, best, scale, confidence, _remark(best, lowest_key))
    if other is None:
        return found
    second = _keyboard(other[0], other[1], scale, min(1 - confidence, confidence), _remark(other[1], None))
    return replace(found, runner_up=second)


def find_candidates(picture: np.ndarray) -> list[Candidate]:
    """Every keyboard that a picture of shape (height, width), about 640 wide, may show."""
    rhythms = find_rhythms(picture)
    keys = [len(np.unique(rhythm.numbers)) for rhythm in rhythms]
    candidates = []
    for rhythm, count in zip(rhythms, keys, strict=True):
        if count < LEAST_SHARE * max(keys):
            continue
        extended = extend(picture, rhythm, find_plane(picture, rhythm))
        if extended is None:
            continue
        plane, view = extended
        seen = look(view, plane)
        answers = boards(seen, plane.upside_down)
        if answers and answers[0].score > 0:
            candidates.append(Candidate(plane, seen, answers, _texture(view, plane)))
    return candidates


def _searched(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture in grey at the width that is searched, and by how much it was scaled."""
    if picture.ndim not in (2, 3) or picture.dtype != np.uint8:
        raise AudeoBenchError(
            f"a picture of shape {picture.shape}, {picture.dtype}; give (height, width) or "
            "(height, width, 3), uint8."
        )
    if min(picture.shape[:2]) < 16:
        height, width = picture.shape[:2]
        raise AudeoBenchError(
            f"no keyboard found: a picture of {width}x{height} pixels is too small for one."
        )
    if picture.ndim == 3:
        picture = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY)
    height, width = picture.shape
    scale = SEARCHED_WIDTH / width
    if scale == 1:
        return picture, scale
    size = (SEARCHED_WIDTH, max(16, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), scale


def _order(candidates: list[Candidate]) -> list[Candidate]:
    """Best first. Of two keyboards above each other the player sits at the nearer one: the other is drawn,
    played by a machine, or a reflection in the fallboard.
    """
    best = max(candidate.answers[0].score for candidate in candidates)

    def rank(candidate: Candidate) -> tuple[bool, float]:
        rival = candidate.answers[0].score > A_MATCH * best
        if not rival:
            return False, candidate.answers[0].score
        middle = candidate.corners(candidate.answers[0])[:, 1].mean()
        return True, -middle if candidate.plane.upside_down else middle

    return sorted(candidates, key=rank, reverse=True)


def _texture(view: Levelled, plane: Plane) -> float:
    """How much the keys differ in grey levels: black keys along their length and from each other, white keys
    from each other and from their neighbours.
    """
    rows = np.round(view.rows(np.arange(74.0, 136.0, 2.0))).astype(int)
    fronts = np.round(view.rows(np.arange(14.0, 44.0, 2.0))).astype(int)
    blacks = view.lanes(plane.bent(black_x(plane.numbers)), 2.0)[rows]
    low, high = black_x(plane.numbers[[0, -1]]) // WHITE_WIDTH
    middles = (np.arange(low, high + 1) + 0.5) * WHITE_WIDTH
    whites = np.median(view.lanes(plane.bent(middles), 5.0)[fronts], 0)
    black, whites = np.median(blacks, 0), whites[whites > 0.6 * np.nanmax(whites, initial=0)]
    if len(whites) < 3:
        return np.inf
    along = float(np.nanmedian(blacks.std(0)))
    between = float(np.subtract(*np.nanpercentile(black, [75, 25])))
    white = float(np.subtract(*np.percentile(whites, [75, 25])) + np.median(np.abs(np.diff(whites))))
    return along + between + white


def _differs(one: tuple[Candidate, Board], other: tuple[Candidate, Board], keyboards: int) -> bool:
    if one[0] is not other[0]:
        return keyboards > 1
    a, b = one[1], other[1]
    return (a.first, a.last, a.lowest, a.descending) != (b.first, b.last, b.lowest, b.descending)


def _keyboard(candidate: Candidate, board: Board, scale: float, confidence: float, remark: str) -> Keyboard:
    corners = (candidate.corners(board) + 0.5) / scale - 0.5
    return Keyboard(corners, board.lowest, board.highest, round(float(confidence), 3), None, remark)


def _remark(board: Board, lowest_key: int | None) -> str:
    if board.part and lowest_key is None:
        octave = ": the octave is a guess, give the lowest key as --lowest-key" if board.octave < SURE else ""
        return f"part of a keyboard{octave}"
    return "the film is mirrored" if board.mirrored else ""


def _confidence(candidate: Candidate, best: Board, other: tuple[Candidate, Board] | None) -> float:
    plane = candidate.plane
    gap = best.score - other[1].score if other is not None and other[0] is candidate else 20.0
    evidence = (
        -9.0
        + 6.0 * best.explained
        + 1.0 * min(plane.side_margin, 3.0)
        + 1.5 * plane.front
        + 1.0 * plane.far
        + 0.15 * min(gap, 20.0)
        + 0.05 * len(plane.numbers)
        - 0.5 * plane.residual
    )
    confidence = 1 / (1 + np.exp(-evidence))
    return confidence * best.octave
