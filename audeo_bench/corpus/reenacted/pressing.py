"""From labels made by ear back to movements of the keys, so that real labels can be acted out.

A transcriber's offsets contain the pedal: a note may "last" long after its finger has left. What is certain
is when each key goes down; when it comes up is bounded by what ten fingers can hold.
"""

from __future__ import annotations

import numpy as np

from audeo_bench.corpus.simulated.fingering import GROUP_SECONDS, LARGEST_SPAN, split_hands
from audeo_bench.keyboard import KEY_X
from audeo_bench.roll import LOWEST_PITCH, Notes

__all__ = ["key_presses"]

FINGERS = 5
REPETITION_GAP = 0.06
"""Seconds that a key needs to come up before it can be struck again."""
SHORTEST_PRESS = 0.05
SPLIT_SECONDS = 0.4
"""Longer notes count as this long when hands are told apart, since the pedal may hold the rest."""


def key_presses(heard: Notes) -> tuple[Notes, np.ndarray]:
    """A plausible key-down version of a transcription.

    Onsets and velocities stay. A note is cut where its key is struck again, and where its hand must leave it:
    to play a sixth note, or one out of reach of it (the note furthest from the new ones is left first). Of
    notes struck together that no hand can play, the softest are left out: they are mostly the transcriber's
    inventions.

    Parameters
    ----------
    heard : Notes

    Returns
    -------
    pressed : Notes
        Some of ``heard``, none of them longer, except that no press is shorter than 50 ms.
    hands : np.ndarray, shape (n,), int8
        0 left, 1 right.
    """
    if not len(heard):
        return heard, np.zeros(0, np.int8)
    onsets, released = heard.intervals[:, 0], _before_repetition(heard)
    short = Notes(
        np.stack([onsets, np.minimum(released, onsets + SPLIT_SECONDS)], axis=1),
        heard.pitches,
        heard.velocities,
    )
    hands = split_hands(short)
    played = np.ones(len(heard), bool)
    for hand in (0, 1):
        _play_with_one_hand(heard, np.flatnonzero(hands == hand), released, played)
    pressed = Notes(
        np.stack([onsets, released], axis=1)[played], heard.pitches[played], heard.velocities[played]
    )
    return pressed, hands[played]


def _before_repetition(heard: Notes) -> np.ndarray:
    """Offsets that leave the key time to come up before it is struck again; shape (n,)."""
    released = np.maximum(heard.intervals[:, 1], heard.intervals[:, 0] + SHORTEST_PRESS)
    order = np.lexsort((heard.intervals[:, 0], heard.pitches))
    this, following = order[:-1], order[1:]
    same = heard.pitches[this] == heard.pitches[following]
    this, following = this[same], following[same]
    between = heard.intervals[following, 0] - heard.intervals[this, 0]
    latest = heard.intervals[following, 0] - np.minimum(REPETITION_GAP, between / 2)
    released[this] = np.minimum(released[this], latest)
    return released


def _play_with_one_hand(heard: Notes, members: np.ndarray, released: np.ndarray, played: np.ndarray) -> None:
    """Cut ``released`` and clear ``played`` in place until the hand can play its notes."""
    onsets, place = heard.intervals[:, 0], KEY_X[heard.pitches - LOWEST_PITCH]
    held: list[int] = []
    start = 0
    while start < len(members):
        now = onsets[members[start]]
        stop = start + int(np.searchsorted(onsets[members[start:]], now + GROUP_SECONDS, side="right"))
        group = [int(note) for note in members[start:stop]]
        while not _in_one_hand(place[group]):
            softest = min(group, key=lambda note: int(heard.velocities[note]))
            played[softest] = False
            group.remove(softest)
        held = [note for note in held if released[note] > now]
        while not _in_one_hand(place[group + held]):
            centre = place[group].mean()
            furthest = max(held, key=lambda note: (abs(place[note] - centre), -onsets[note]))
            released[furthest] = min(released[furthest], max(now, onsets[furthest] + SHORTEST_PRESS))
            held.remove(furthest)
        held += group
        start = stop


def _in_one_hand(place: np.ndarray) -> bool:
    return len(place) <= FINGERS and bool(np.ptp(place) <= LARGEST_SPAN)
