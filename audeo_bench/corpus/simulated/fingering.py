"""Which hand and which finger plays a note: two small dynamic programmes over onset groups.

The span limits of finger pairs follow Parncutt, Sloboda, Clarke, Raekallio & Desain (1997), "An ergonomic
model of keyboard fingering", here in millimetres of the keyboard; the Viterbi search over onset groups is
the usual way to find the cheapest sequence (Hart, Bosch & Tsai 2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from audeo_bench.keyboard import IS_BLACK, KEY_X
from audeo_bench.roll import LOWEST_PITCH, Notes

GROUP_SECONDS = 0.035
"""Notes whose onsets lie this close are struck together."""
LARGEST_SPAN = 215.0
"""mm between the outer keys that one hand still reaches (an octave is 164, a ninth 188, a tenth 211)."""
_HELD = 0.02
"""A key is still held at an onset if it stays down for longer than this many seconds after it."""

# Costs, tuned beside the fingers that real pianists used (see docs/notebook/hands.md).
_WEAK = 0.13
_THUMB_UNDER = 1.8
_OFF_NATURAL = 0.02
_BLACK_THUMB = 2.5
_HOP = 3.3
_STRAIN = 0.04
# Costs of dividing notes between hands, tuned on the same pianists and on staves of scores.
_SPAN = 0.018
_TRAVEL = 180.0
_HOME = 280.0
_WRONG_SIDE = 70.0
_HELD_REACH = 0.04
_IDLE = 0.8

# Semitones of the right hand: smallest practical, smallest and largest relaxed, largest practical.
_SPANS = {
    (0, 1): (-5, 1, 5, 10),
    (0, 2): (-4, 3, 7, 12),
    (0, 3): (-3, 5, 9, 14),
    (0, 4): (-1, 7, 11, 15),
    (1, 2): (1, 1, 2, 5),
    (1, 3): (1, 3, 4, 7),
    (1, 4): (2, 5, 7, 10),
    (2, 3): (1, 1, 2, 4),
    (2, 4): (1, 3, 5, 7),
    (3, 4): (1, 1, 2, 5),
}
_SEMITONE = 164.5 / 12


def _span_table() -> np.ndarray:
    """Limits by finger pair, shape (5, 5, 4), mm; mirrored where the higher finger comes first."""
    table = np.zeros((5, 5, 4))
    for (low, high), semitones in _SPANS.items():
        limits = np.array(semitones) * _SEMITONE
        table[low, high] = limits
        table[high, low] = -limits[::-1]
    return table


_LEAST, _RELAXED_LOW, _RELAXED_HIGH, _MOST = np.ascontiguousarray(np.moveaxis(_span_table(), -1, 0))
# mm between two fingers of a hand at rest.
_NATURAL = np.subtract.outer(*[np.array([-49.0, -23.5, 0.0, 23.0, 45.0])] * 2).T
_DIFFERENT = ~np.eye(5, dtype=bool)
_THUMB_FIRST = np.zeros((5, 5), bool)
_THUMB_FIRST[0, 1:] = True
_NO_THUMB = ~(_THUMB_FIRST | _THUMB_FIRST.T)
_ORDER = np.sign(np.arange(5)[None, :] - np.arange(5)[:, None])
_PAIRS = {count: np.triu_indices(count, 1) for count in range(2, 6)}


def _assignments(count: int) -> np.ndarray:
    """Fingers of ``count`` keys from the thumb's side outwards, shape (states, count).

    The four fingers keep their order; the thumb may pass under them.
    """
    states = [tuple(c) for c in combinations(range(5), count)]
    if count > 1:
        for others in combinations(range(1, 5), count - 1):
            for place in range(1, count):
                states.append((*others[:place], 0, *others[place:]))
    return np.array(states, np.int64)


_STATES = {count: _assignments(count) for count in range(1, 6)}
# One-hot form, shape (states, 5 * count), so that the cost of all states is one matrix product.
_ONE_HOT = {count: np.eye(5)[states].reshape(len(states), -1) for count, states in _STATES.items()}


def _span_cost(distance: np.ndarray, crossing: np.ndarray) -> np.ndarray:
    """Cost of two fingers lying ``distance`` mm apart (towards the little finger), shape (..., 5, 5).

    ``crossing`` (0..1) says how freely the thumb may stand on the wrong side: 1 in a run, 0 in a held chord.
    """
    d = distance[..., None, None]
    tight, wide = np.maximum(_RELAXED_LOW - d, 0), np.maximum(d - _RELAXED_HIGH, 0)
    cost = _STRAIN * (tight + wide)
    cost += 0.6 * (np.maximum(_LEAST - d, 0) + np.maximum(d - _MOST, 0))
    wrong_side = (_THUMB_FIRST & (d < 0)) | (_THUMB_FIRST.T & (d > 0))
    cost += wrong_side * (_THUMB_UNDER + 14.0 * (1 - crossing[..., None, None]))
    # Fingers 2-5 never lie over each other.
    cost += 12.0 * ((_ORDER * d < 0) & _NO_THUMB)
    return cost


@dataclass(frozen=True)
class _Group:
    """Notes struck together and those still held, from the thumb's side outwards, at most five."""

    time: float
    active: np.ndarray  # note indices
    new: np.ndarray  # bool, struck now
    extra: np.ndarray  # notes beyond five: they share a finger


def _groups(notes: Notes, members: np.ndarray, sign: float) -> list[_Group]:
    onsets, offsets = notes.intervals[:, 0], notes.intervals[:, 1]
    place = sign * KEY_X[notes.pitches - LOWEST_PITCH]
    groups: list[_Group] = []
    held: list[int] = []
    position = 0
    while position < len(members):
        time = onsets[members[position]]
        stop = position
        while stop < len(members) and onsets[members[stop]] < time + GROUP_SECONDS:
            stop += 1
        struck = sorted(members[position:stop].tolist(), key=lambda n: place[n])
        extra: list[int] = []
        while len(struck) > 5:
            # The two nearest keys share a finger, as a thumb lying across two keys does.
            nearest = int(np.argmin(np.diff(place[struck])))
            extra.append(struck.pop(nearest + 1 if nearest == 0 else nearest))
        # Newest held notes first: what no longer fits under the hand has been let go, under the pedal.
        active = list(struck)
        kept: list[int] = []
        for note in sorted(held, key=lambda n: -onsets[n]):
            if offsets[note] <= time + _HELD or any(notes.pitches[note] == notes.pitches[s] for s in struck):
                continue
            outer = [place[note], *(place[a] for a in active)]
            if len(active) < 5 and max(outer) - min(outer) <= LARGEST_SPAN:
                active.append(note)
                kept.append(note)
        held = kept + struck
        active.sort(key=lambda n: place[n])
        new = np.array([note in struck for note in active])
        groups.append(_Group(float(time), np.array(active), new, np.array(extra, np.int64)))
        position = stop
    return groups


def _within(notes: Notes, group: _Group, place: np.ndarray) -> np.ndarray:
    """Cost of every assignment of one group by itself, shape (states,)."""
    active = group.active
    count = len(active)
    hot = _ONE_HOT[count]
    black = IS_BLACK[notes.pitches[active] - LOWEST_PITCH]
    single = np.zeros((count, 5))
    single += np.array([0.0, 0.0, 0.0, _WEAK, _WEAK])  # the weak fingers
    single[black] += np.array([_BLACK_THUMB, 0.0, 0.0, 0.0, _BLACK_THUMB / 2])
    single[~group.new] = 0
    cost = hot @ single.ravel()
    if count > 1:
        first, second = _PAIRS[count]
        start = np.maximum(notes.intervals[active[first], 0], notes.intervals[active[second], 0])
        stop = np.minimum(notes.intervals[active[first], 1], notes.intervals[active[second], 1])
        struck_together = (
            np.abs(notes.intervals[active[first], 0] - notes.intervals[active[second], 0]) < 0.04
        )
        crossing = np.where(struck_together, 0.0, 1 - np.clip((stop - start) / 0.15, 0, 1))
        pairs = 1.5 * _span_cost(place[active[second]] - place[active[first]], crossing)
        table = np.zeros((count, 5, count, 5))
        table[first, :, second, :] = pairs
        flat = table.reshape(5 * count, 5 * count)
        cost = cost + ((hot @ flat) * hot).sum(axis=1)
    return cost


def _between(notes: Notes, before: _Group, now: _Group, place: np.ndarray) -> np.ndarray:
    """Cost of going from every assignment of a group to every one of the next, (before, now)."""
    old, new = before.active, now.active
    old_off = notes.intervals[old, 1][:, None]
    new_on = notes.intervals[new, 0][None, :]
    distance = place[new][None, :] - place[old][:, None]
    near = np.exp(-(now.time - before.time) / 0.8)
    same_note = old[:, None] == new[None, :]
    same_key = notes.pitches[old][:, None] == notes.pitches[new][None, :]
    gap = new_on - old_off
    # Different fingers: the span between the two keys, as if both were held for a moment.
    moving = 0.7 * near * _span_cost(distance, np.ones_like(distance))
    # A hand that need not move is cheaper than one that does.
    moving += _OFF_NATURAL * near * np.abs(distance[..., None, None] - _NATURAL)
    moving[same_key] = 0.8 * near
    # The same finger: it has to let go first and then travel.
    speed = np.abs(distance) / np.maximum(gap, 0.02) / 1000.0  # m/s
    hop = _HOP * near + 2.0 * np.minimum(speed, 6.0) + 200.0 * ((gap < 0) & ~same_key)
    hop = np.where(same_key, 0.0, hop)
    cost = np.where(_DIFFERENT, moving, hop[..., None, None])
    cost[same_note] = np.where(_DIFFERENT, 80.0, 0.0)
    # Pairs with a note that was held before and is held on are counted within the group already.
    held_on = same_note.any(0)[None, :] & ~same_note
    cost[np.broadcast_to(held_on, same_note.shape)] *= _DIFFERENT * 0.0 + ~_DIFFERENT
    flat = cost.transpose(0, 2, 1, 3).reshape(5 * len(old), 5 * len(new))
    return _ONE_HOT[len(old)] @ flat @ _ONE_HOT[len(new)].T


def _finger_hand(notes: Notes, members: np.ndarray, sign: float, fingering: np.ndarray) -> None:
    """Viterbi over one hand's onset groups; writes fingers 0..4 into ``fingering``."""
    place = sign * KEY_X[notes.pitches - LOWEST_PITCH]
    groups = _groups(notes, members, sign)
    total = _within(notes, groups[0], place)
    back: list[np.ndarray] = []
    for before, now in pairwise(groups):
        paths = total[:, None] + _between(notes, before, now, place)
        best = np.argmin(paths, axis=0)
        back.append(best)
        total = paths[best, np.arange(paths.shape[1])] + _within(notes, now, place)
    state = int(np.argmin(total))
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        fingers = _STATES[len(group.active)][state]
        fingering[group.active[group.new]] = fingers[group.new]
        for note in group.extra:
            nearest = np.argmin(np.abs(place[group.active] - place[note]))
            fingering[note] = fingers[nearest]
        if index:
            state = int(back[index - 1][state])


def finger(notes: Notes, hands: np.ndarray) -> np.ndarray:
    """The finger of every note.

    Parameters
    ----------
    notes : Notes
    hands : np.ndarray, shape (n,)
        0 left, 1 right.

    Returns
    -------
    np.ndarray, shape (n,), int8
        hand * 5 + finger, 0 = thumb .. 4 = little finger. No finger gets a key while it still holds another
        one, as long as one hand has at most five keys to hold within reach.
    """
    fingering = np.zeros(len(notes), np.int8)
    for hand, sign in ((0, -1.0), (1, 1.0)):
        members = np.flatnonzero(np.asarray(hands) == hand)
        if len(members):
            _finger_hand(notes, members, sign, fingering)
            fingering[members] += 5 * hand
    return fingering


@dataclass(frozen=True)
class _Split:
    """One surviving way to have divided the notes so far."""

    cost: float
    centre: tuple[float, float]  # mm, where each hand was last
    used: tuple[float, float]  # seconds, when it last struck
    held: tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]  # (x, offset) by hand


_REST = (KEY_X[48 - LOWEST_PITCH], KEY_X[72 - LOWEST_PITCH])


def _extend(past: _Split, time: float, low: tuple, high: tuple, leaning_cost: float) -> _Split:
    cost = past.cost + leaning_cost
    centre, used, held = list(past.centre), list(past.used), list(past.held)
    for hand, struck in ((0, low), (1, high)):
        still = tuple(h for h in past.held[hand] if h[1] > time + 0.05)
        if struck:
            first, last = struck[0][0], struck[-1][0]
            span = last - first
            cost += (
                _SPAN * max(span - 60, 0)
                + 0.02 * max(span - 165, 0)
                + 0.4 * max(span - 190, 0)
                + 25.0 * max(len(struck) - 5, 0)
            )
            for x, offset in still:
                # A held note out of reach, or one key too many, would have to be let go.
                reach = max(last, x) - min(first, x)
                cost += min(_HELD_REACH * max(reach - 165, 0), 3.0) * min((offset - time) / 0.3, 1.0)
            cost += 1.5 * max(len(struck) + len(still) - 5, 0)
            middle = (first + last) / 2
            quiet = max(time - used[hand], 0.08)
            # The hand has a reach of its own around where it was before it has to travel.
            travel = max(abs(middle - centre[hand]) - 45, 0)
            cost += min(travel / _TRAVEL / (1 + quiet), 4.0) + abs(middle - _REST[hand]) / _HOME
            wrong = middle - _REST[1] if hand == 0 else _REST[0] - middle
            cost += max(wrong, 0) / _WRONG_SIDE
            centre[hand], used[hand] = middle, time
        elif len(high) + len(low) > 1:
            # A hand that was busy a moment ago does not leave several keys to the other one.
            cost += _IDLE * math.exp(used[hand] - time)
        held[hand] = (*still, *struck)[-8:]
    crossed = centre[0] - centre[1] + 60
    if crossed > 0:
        cost += 0.02 * crossed
    return _Split(cost, (centre[0], centre[1]), (used[0], used[1]), (held[0], held[1]))


def split_hands(notes: Notes, leaning: np.ndarray | None = None) -> np.ndarray:
    """Which hand plays each note of a performance whose hands are unknown.

    Every onset group is cut at one place: keys below it go to the left hand. A beam search keeps the
    cheapest ways by span, keys held out of reach, travel, and distance from each hand's own register.

    Parameters
    ----------
    notes : Notes
    leaning : np.ndarray, shape (n,), optional
        A preference from outside, such as the voice: -1 left .. 1 right.

    Returns
    -------
    np.ndarray, shape (n,), int8
        0 left, 1 right.
    """
    onsets, offsets = notes.intervals[:, 0], notes.intervals[:, 1]
    x = KEY_X[notes.pitches - LOWEST_PITCH]
    wish = np.zeros(len(notes)) if leaning is None else np.asarray(leaning, float)
    order = np.argsort(onsets, kind="stable")
    beam: list[tuple[_Split, int]] = [(_Split(0.0, _REST, (-9.0, -9.0), ((), ())), -1)]
    history: list[tuple[np.ndarray, list[tuple[int, int]]]] = []
    position = 0
    while position < len(order):
        time = float(onsets[order[position]])
        stop = position
        while stop < len(order) and onsets[order[stop]] < time + GROUP_SECONDS:
            stop += 1
        members = order[position:stop]
        members = members[np.argsort(x[members], kind="stable")]
        keys = [(float(x[m]), float(offsets[m])) for m in members]
        grown: list[tuple[_Split, tuple[int, int]]] = []
        for cut in range(len(members) + 1):
            against = 2.0 * float(
                np.maximum(wish[members[:cut]], 0).sum() - np.minimum(wish[members[cut:]], 0).sum()
            )
            low, high = tuple(keys[:cut]), tuple(keys[cut:])
            for parent, (past, _) in enumerate(beam):
                grown.append((_extend(past, time, low, high, against), (parent, cut)))
        grown.sort(key=lambda g: g[0].cost)
        grown = grown[:8]
        beam = [(split, 0) for split, _ in grown]
        history.append((members, [link for _, link in grown]))
        position = stop
    hands = np.zeros(len(notes), np.int8)
    state = 0
    for members, links in reversed(history):
        state, cut = links[state]
        hands[members[cut:]] = 1
    return hands
