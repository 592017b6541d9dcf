"""What two hands can play: no key asked for twice at once, no hand stretched over more than a tenth."""

from __future__ import annotations

from collections.abc import Iterable

from audeo_bench.corpus.simulated.voices import Note

REACH = 16
"""Semitones that a hand can span: a tenth."""
FINGERS = 5


def without_overlaps(notes: Iterable[Note]) -> list[Note]:
    """Notes sorted by onset, then pitch, none of which sounds on a key that another still holds.

    Notes that begin together on one key become one, the longer; a note that is struck again ends there.
    """
    last: dict[int, int] = {}
    kept: list[Note] = []
    for note in sorted(notes, key=lambda each: (each.onset, each.pitch, -each.duration)):
        place = last.get(note.pitch)
        if place is not None:
            before = kept[place]
            if before.onset == note.onset:
                continue
            if before.onset + before.duration > note.onset:
                kept[place] = before._replace(duration=note.onset - before.onset)
        last[note.pitch] = len(kept)
        kept.append(note)
    return kept


def _two_hands(pitches: list[int]) -> bool:
    """Whether ascending pitches can be split into two hands."""
    for split in range(max(0, len(pitches) - FINGERS), min(FINGERS, len(pitches)) + 1):
        left, right = pitches[:split], pitches[split:]
        if (not left or left[-1] - left[0] <= REACH) and (not right or right[-1] - right[0] <= REACH):
            return True
    return False


def playable(notes: Iterable[Note]) -> list[Note]:
    """The notes without overlaps, held notes let go where two hands cannot keep them."""
    kept = without_overlaps(notes)
    held: list[int] = []
    gone: set[int] = set()
    place = 0
    while place < len(kept):
        onset = kept[place].onset
        struck = []
        while place < len(kept) and kept[place].onset == onset:
            struck.append(place)
            place += 1
        held = [each for each in held if kept[each].onset + kept[each].duration > onset]
        while len(held) + len(struck) > 2:
            if _two_hands(sorted(kept[each].pitch for each in held + struck)):
                break
            if held:  # the longest held is let go first
                freed = held.pop(0)
                kept[freed] = kept[freed]._replace(duration=onset - kept[freed].onset)
            else:  # too wide a chord: give up an inner note
                gone.add(struck.pop(len(struck) // 2))
        held += struck
    return [note for each, note in enumerate(kept) if each not in gone]
