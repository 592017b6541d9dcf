"""Which board a rhythm belongs to: where the keys begin and end, and so which key is which.

The rhythm repeats every octave, so that it is the ends that tell the octave: every place where a black or
white key would be, as far as the picture reaches, either shows one or does not. Each board that is built (88
keys, 76, 73, 61, 49), at every place, either way round, and a mere part of one, is scored by all of them:
keys seen inside of it and none outside speak for it, keys missing inside or seen outside against it, and so
does an end without an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.keyboard import OCTAVE, WHITE_WIDTH
from audeo_bench.keyboard.levelled import SCALE, Levelled, running_median
from audeo_bench.keyboard.plane import Plane
from audeo_bench.keyboard.rhythm import black_x

BOARDS = (
    (88, 0, 52, 0.0),
    (76, 4, 45, -8.0),
    (73, 4, 43, -9.0),
    (73, 2, 43, -9.0),
    (61, 2, 36, -8.0),
    (49, 2, 29, -9.0),
)
"""Keys, first white key (0 = A .. 6 = G), white keys, and what a board that is rarer has against it."""
MIRRORED, PART, END = -6.0, -6.0, -3.0
"""What else speaks against an answer before the picture is looked at: a mirrored film; part of a keyboard;
each end of such a part within the picture.
"""
LOW_ENDS, HIGH_ENDS, UNBUILT = (0, 2, 4, 5), (2, 4, 6), -2.0
"""White keys (A to G) that keyboards begin and end with, and what speaks against any other."""
HIDDEN_WHITES = 2.5
"""White keys that a whole keyboard may have outside of the picture at either end."""
UNCLEAR = 0.4
"""What is taken to be seen of a black key where a hand may lie."""
_FREE_LANE = np.array([8, 15.5, 8, 11.75, 15.5, 8, 11.75])
"""The middle of the part of a white key that is free between the black ones, mm from its left edge, A to
G.
"""
_WHITE_PITCH = np.array([0, 2, 3, 5, 7, 8, 10])
"""Semitones above A."""


@dataclass(frozen=True)
class Seen:
    """What the picture shows at every place where a key would be, in ascending or descending order.

    Attributes
    ----------
    first_white, first_black : int
        Number of the first place of each kind.
    white : np.ndarray, shape (places,)
        Brightness relative to the white keys around; NaN outside of the picture.
    black : np.ndarray, shape (places,)
        0 where it is as bright as its neighbours, 1 where it is a black key; NaN outside of the picture.
    edge : np.ndarray, shape (places + 1,)
        The step in brightness at the left edge of every white place, relative to the white keys.
    left, right : float
        The range of x, mm, that the picture shows.
    """

    first_white: int
    first_black: int
    white: np.ndarray
    black: np.ndarray
    edge: np.ndarray
    left: float
    right: float

    def reversed(self) -> Seen:
        """As read from the other end: the rhythm is symmetrical about D."""
        return Seen(
            6 - (self.first_white + len(self.white) - 1),
            3 - (self.first_black + len(self.black) - 1),
            self.white[::-1],
            self.black[::-1],
            self.edge[::-1],
            OCTAVE - self.right,
            OCTAVE - self.left,
        )


@dataclass(frozen=True)
class Board:
    """One answer: white places ``first``..``last`` inclusive, ascending (after reversal if ``descending``).

    ``score`` is a log-likelihood ratio; ``explained`` the share of the black keys of the board inside of the
    picture that are seen; ``octave`` how sure the octave is, 0..1, given that the keys are right.
    """

    keys: int
    first: int
    last: int
    lowest: int
    descending: bool
    mirrored: bool
    part: bool
    score: float
    explained: float
    octave: float = 1.0

    @property
    def highest(self) -> int:
        return self.lowest + white_steps(self.first, self.last)


def white_steps(first: int, last: int) -> int:
    """Semitones from one white place to another."""
    return int(12 * (last // 7 - first // 7) + _WHITE_PITCH[last % 7] - _WHITE_PITCH[first % 7])


def look(view: Levelled, plane: Plane) -> Seen:
    """Look at every place along a levelled picture, whose y is 0 at the front edge of the keys."""
    far, near = _profile(view, 72, 138), _profile(view, 10, 44)
    x = view.left + np.arange(len(far)) / SCALE
    shown = ~np.isnan(far)
    if not shown.any():
        return Seen(0, 0, np.zeros(0), np.zeros(0), np.zeros(1), 0.0, 0.0)
    left, right = float(x[shown][0]), float(x[shown][-1])

    def far_at(places: np.ndarray, half: float) -> np.ndarray:
        return _mean(x, far, plane.bent(places), half)

    def near_at(places: np.ndarray, half: float) -> np.ndarray:
        return _mean(x, near, plane.bent(places), half)

    known = black_x(plane.numbers)
    # What white keys' far parts, their fronts, and black keys look like about every known black key.
    levels = (
        np.fmax(far_at(known - 13, 3), far_at(known + 13, 3)),
        np.fmax(near_at(known - 11, 5), near_at(known + 11, 5)),
        far_at(known, 3),
    )
    white_far, white_near, dark = (_smooth(level) for level in levels)

    def level_at(places: np.ndarray, level: np.ndarray) -> np.ndarray:
        return np.maximum(np.interp(places, known, level), 12)

    first_black = int(np.floor(left / OCTAVE)) * 5 - 1
    blacks = np.arange(first_black, first_black + int((right - left) / OCTAVE + 3) * 5)
    blacks = blacks[(black_x(blacks) > left - 6) & (black_x(blacks) < right + 6)]
    places = black_x(blacks)
    before, after = far_at(places - 13, 3), far_at(places + 13, 3)
    flank = np.where(np.isnan(before), after, np.where(np.isnan(after), before, np.fmin(before, after)))
    level, floor = level_at(places, white_far), np.interp(places, known, dark)
    # Where the light falls off, a black key is still dark beside its own neighbours.
    lit = np.where(flank > 0.3 * level, np.minimum(flank, level), level)
    black = (flank - far_at(places, 3)) / np.maximum(lit * (1 - floor / level), 10)
    front = near_at(places, 5) / level_at(places, white_near)
    # In the shade of the fallboard nothing is seen of it, though the front of its neighbours is.
    black = np.where((flank < 0.4 * level) & (front > 0.5) & (black < 0.45), np.nan, black)
    # As bright as neither keys nor what is beside them: perhaps a hand.
    hand = (flank > 0.4 * level) & (flank < 0.85 * level) & (black < UNCLEAR)
    black = np.where(hand, UNCLEAR, black)
    first_white, last_white = int(np.floor(left / WHITE_WIDTH)), int(np.floor(right / WHITE_WIDTH))
    whites = np.arange(first_white, last_white + 1)
    lanes = whites * WHITE_WIDTH + _FREE_LANE[whites % 7]
    white_front = near_at(lanes, 6) / level_at(lanes, white_near)
    white = np.fmax(
        0.65 * far_at(lanes, 3) / level_at(lanes, white_far) + 0.35 * white_front, 0.8 * white_front
    )
    edges = np.arange(first_white, last_white + 2) * WHITE_WIDTH
    edge = 0.5 * _step(far_at, edges) / level_at(edges, white_far)
    edge += 0.5 * _step(near_at, edges) / level_at(edges, white_near)
    return Seen(first_white, int(blacks[0]) if len(blacks) else 0, white, black, edge, left, right)


def boards(seen: Seen, upside_down: bool) -> list[Board]:
    """All answers, best first.

    Parameters
    ----------
    seen : Seen
        In reading order: left to right.
    upside_down : bool
        The player sits above, so that an unmirrored keyboard descends from left to right.
    """
    answers = []
    for descending in (False, True):
        mirrored = descending != upside_down
        order = seen.reversed() if descending else seen
        evidence = _Evidence(order)
        for keys, first, whites, against in BOARDS:
            for a in _places(order, first, whites, HIDDEN_WHITES if keys == 88 else -0.25):
                score, explained = evidence.score(a, a + whites - 1)
                lowest = {88: 21, 76: 28, 73: 28 if first == 4 else 24, 61: 36, 49: 36}[keys]
                answers.append(
                    Board(
                        keys,
                        a,
                        a + whites - 1,
                        lowest,
                        descending,
                        mirrored,
                        False,
                        score + against + MIRRORED * mirrored,
                        explained,
                        1.0 if keys == 88 else 0.8,
                    )
                )
        if not mirrored:
            answers.extend(_parts(evidence, descending))
    return sorted(answers, key=lambda answer: answer.score, reverse=True)


def _places(seen: Seen, first: int, whites: int, hidden: float) -> Iterator[int]:
    """Where a board may begin so that it leaves the picture by no more than it may."""
    low, high = seen.left / WHITE_WIDTH - hidden, seen.right / WHITE_WIDTH + hidden
    for a in range(int(np.floor(low)) - 1, int(np.ceil(high)) + 1):
        if a % 7 == first and a >= low and a + whites <= high:
            yield a


class _Evidence:
    """What speaks for keys from one white place to another: the sum of one number for each of the two
    places.
    """

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.first = seen.first_white - 8
        places = np.arange(self.first, seen.first_white + len(seen.white) + 10)
        x = places * WHITE_WIDTH
        black = np.nan_to_num(np.clip(8 * (seen.black - 0.45), -4, 3))
        white = np.nan_to_num(np.clip(6 * (np.where(seen.white > 1.6, 0.4, seen.white) - 0.62), -2.5, 0.3))
        blacks = black_x(seen.first_black + np.arange(len(black)))
        # Black keys that stand wholly between two white ones of the board belong to it.
        self._low = np.searchsorted(blacks, x + 0.7 * WHITE_WIDTH)
        self._high = np.searchsorted(blacks, x - 0.7 * WHITE_WIDTH)
        black_sums = np.append(0, np.cumsum(black))
        white_sums = np.append(0, np.cumsum(white))
        whites = white_sums[np.clip(places - seen.first_white, 0, len(white))]
        edges = np.nan_to_num(seen.edge[np.clip(places - seen.first_white, 0, len(seen.edge) - 1)])
        inside = (x > seen.left + 6) & (x < seen.right - 6)
        outside = np.maximum(np.maximum(seen.left - x, x - seen.right), 0) / WHITE_WIDTH
        ends = np.where(inside, np.clip(4 * (edges - 0.3), -1.2, 1.5), -0.5 * outside)
        self._from = ends - 2 * (whites + black_sums[self._low])
        self._to = ends + 2 * (whites + black_sums[self._high])
        self._present = np.append(0, np.cumsum(np.nan_to_num(seen.black) > 0.45))
        self._visible = np.append(0, np.cumsum(~np.isnan(seen.black)))

    def score(self, first: int, last: int) -> tuple[float, float]:
        """What speaks for keys on the white places first..last, where no keys at all would score 0; and the
        share of the black keys there that are seen.
        """
        a, b = first - self.first, last + 1 - self.first
        low, high = self._low[a], max(self._low[a], self._high[b])
        shown = self._visible[high] - self._visible[low]
        return float(self._from[a] + self._to[b]), float(
            (self._present[high] - self._present[low]) / max(1, shown)
        )

    def best(self, lowest: int, highest: int) -> tuple[int, int]:
        """The first and last white place within a range that most speaks for; an end within the range is
        likelier where keyboards are built to end.
        """
        firsts, lasts = np.arange(lowest, highest - 5), np.arange(lowest + 6, highest + 1)
        odd_first = (firsts > lowest) & ~np.isin(firsts % 7, LOW_ENDS)
        odd_last = (lasts < highest) & ~np.isin(lasts % 7, HIGH_ENDS)
        first = int(firsts[(self._from[firsts - self.first] + UNBUILT * odd_first).argmax()])
        lasting = self._to[lasts + 1 - self.first] + UNBUILT * odd_last
        return first, int(lasts[np.where(lasts >= first + 6, lasting, -np.inf).argmax()])


def _parts(evidence: _Evidence, descending: bool) -> list[Board]:
    """The best part of a keyboard: ends where the picture ends, or where the keys do, at whatever key."""
    seen = evidence.seen
    # A key counts as shown when most of its width is.
    lowest = int(np.ceil(seen.left / WHITE_WIDTH - 0.5))
    highest = int(np.floor(seen.right / WHITE_WIDTH - 0.5))
    if highest - lowest < 7:
        return []
    first, last = evidence.best(lowest, highest)
    score, explained = evidence.score(first, last)
    score += PART + END * ((first > lowest) + (last < highest))
    part = Board(0, first, last, 0, descending, False, True, score, explained)
    return list(_octaves(part, first == lowest, last == highest))


def _octaves(part: Board, open_low: bool, open_high: bool) -> Iterator[Board]:
    """A part at every octave that 88 keys have room for, the likeliest first: where an end is seen, the end
    of 88 keys; else the one whose middle is nearest to the middle of 88 keys.
    """
    steps = white_steps(part.first, part.last)
    start = _WHITE_PITCH[part.first % 7] + 21
    choices = [int(low) for low in range(start, 109, 12) if low + steps <= 108]

    def unlikely(low: int) -> float:
        at_end = (not open_low and low == 21) or (not open_high and low + steps == 108)
        return 0.0 if at_end else abs(low + steps / 2 - 64.5)

    for place, low in enumerate(sorted(choices, key=unlikely)):
        # Only 88 keys begin with an A; many keyboards end with a C.
        begins, ends = not open_low and low == 21, not open_high and low + steps == 108
        # A board that ends at both sides is one of those built, or its other keys are hidden.
        known = len(choices) == 1 or begins
        sure = 0.5 if not (open_low or open_high) else 1.0 if known else 0.8 if ends else 0.5
        score, octave = part.score - 0.5 * place, sure if place == 0 else 1 - sure
        yield replace(part, keys=steps + 1, lowest=low, score=score, octave=octave)


def _profile(view: Levelled, low: float, high: float) -> np.ndarray:
    """The median along the rows between two y, NaN where the picture is not: (columns,)."""
    rows = np.round(view.rows(np.arange(low, high, 2.0))).astype(int)
    rows = np.unique(rows[(rows >= 0) & (rows < len(view.grey))])
    if not len(rows):
        return np.full(view.grey.shape[1], np.nan)
    seen = view.seen[rows].sum(0) >= 0.6 * len(rows)
    return np.where(seen, np.median(view.grey[rows], 0), np.nan)


def _mean(x: np.ndarray, profile: np.ndarray, places: np.ndarray, half: float) -> np.ndarray:
    """The profile's mean within ``half`` mm of every place, NaN where it is not seen."""
    step = 1 / SCALE
    sums = np.append(0, np.cumsum(np.nan_to_num(profile)))
    counts = np.append(0, np.cumsum(~np.isnan(profile)))
    low = np.round((places - half - x[0]) / step + 0.5).astype(int)
    high = np.maximum(low + 1, np.round((places + half - x[0]) / step + 0.5).astype(int))
    size = high - low
    low, high = low.clip(0, len(x)), high.clip(0, len(x))
    count = counts[high] - counts[low]
    return np.where(count >= 0.7 * size, (sums[high] - sums[low]) / np.maximum(count, 1), np.nan)


def _step(mean_at: Callable[[np.ndarray, float], np.ndarray], places: np.ndarray) -> np.ndarray:
    """The largest step in brightness within 5 mm of every place."""
    best = np.full(len(places), np.nan)
    for shift in np.arange(-5, 5.1, 1.25):
        step = mean_at(places + shift - 5, 2.5) - mean_at(places + shift + 5, 2.5)
        best = np.fmax(best, np.abs(step))
    return best


def _smooth(values: np.ndarray) -> np.ndarray:
    """A running median over nine keys."""
    known = ~np.isnan(values)
    return running_median(np.where(known, values, np.median(values[known]) if known.any() else 128.0), 9)


def with_lowest_key(answers: list[Board], seen: Seen, lowest_key: int) -> Board:
    """The best answer whose lowest key is the one named; where none is, the best part of a keyboard with its
    lower end moved by up to four white keys to one of that name.

    Raises
    ------
    AudeoBenchError
        No white key of that name is near the lower end.
    """
    for answer in answers:
        if answer.lowest == lowest_key and answer.highest <= 108 and not answer.mirrored:
            return replace(answer, octave=1.0)
    part = next((answer for answer in answers if answer.part), answers[0])
    names = (_WHITE_PITCH + 9) % 12
    for shift in (0, 1, -1, 2, -2, 3, -3, 4, -4):
        first = part.first + shift
        if names[first % 7] == lowest_key % 12:
            moved = replace(part, first=first, lowest=lowest_key, part=True, octave=1.0)
            if lowest_key >= 21 and moved.highest <= 108:
                return moved
    raise AudeoBenchError(
        f"the lowest key shown is a white one near {'CCDDEFFGGAAB'[part.lowest % 12]}, and from there "
        f"{part.highest - part.lowest + 1} keys must fit below C8; MIDI pitch {lowest_key} does not."
    )
