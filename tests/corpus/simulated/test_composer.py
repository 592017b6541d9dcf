"""The simulated composer: what it promises about every piece, and that its pieces are distinct works."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus.simulated.composer import (
    Piece,
    book_two_variants,
    compose,
    distractor,
    other_styles,
    variants,
)
from audeo_bench.corpus.simulated.texture import FINGERS, REACH


def ends(piece: Piece) -> np.ndarray:
    return piece.onsets + piece.durations


def check(piece: Piece) -> None:
    """What holds for every piece."""
    assert piece.title.startswith("Simulated")
    assert piece.work.composer == "Simulated"
    assert piece.onsets[0] == 0
    assert (np.diff(piece.onsets) >= 0).all()
    assert (piece.durations > 0).all()
    assert ((piece.pitches >= 36) & (piece.pitches <= 86)).all()
    assert (piece.voices >= 0).all()
    assert 0 <= piece.articulation <= 1
    assert (np.diff(piece.cadences) > 0).all()
    assert piece.cadences[-1] <= ends(piece).max()
    for pitch in np.unique(piece.pitches):
        struck = piece.pitches == pitch
        assert (ends(piece)[struck][:-1] <= piece.onsets[struck][1:] + 1e-9).all()


@settings(max_examples=25, deadline=None)
@given(book=st.sampled_from([1, 2]), number=st.integers(1, 24), seed=st.integers(0, 10**6))
def test_every_pair_is_well_formed(book: int, number: int, seed: int) -> None:
    piece = compose(book, number, seed)
    check(piece)
    assert 90 <= piece.seconds <= 140
    assert 3.5 <= len(piece) / piece.seconds <= 10
    assert 1.6 <= piece.durations.sum() / ends(piece).max() <= 3.6


@settings(max_examples=25, deadline=None)
@given(index=st.integers(0, 5000), seed=st.integers(0, 10**6))
def test_every_distractor_is_well_formed(index: int, seed: int) -> None:
    check(distractor(index, seed))


@settings(max_examples=15, deadline=None)
@given(number=st.integers(1, 24), seed=st.integers(0, 10**6))
def test_two_hands_can_hold_every_chord(number: int, seed: int) -> None:
    piece = compose(1, number, seed)
    for onset in np.unique(piece.onsets):
        down = np.sort(piece.pitches[(piece.onsets <= onset) & (ends(piece) > onset)])
        assert any(
            split <= FINGERS
            and len(down) - split <= FINGERS
            and (split < 1 or down[split - 1] - down[0] <= REACH)
            and (split == len(down) or down[-1] - down[split] <= REACH)
            for split in range(len(down) + 1)
        )


def runs(piece: Piece, size: int) -> set[bytes]:
    """Every run of ``size`` (pitch step, time step) pairs between successive notes: the same in every key."""
    times = np.rint(np.diff(piece.onsets) * 12)
    steps = np.stack([np.diff(piece.pitches), times], axis=1).astype(np.int16)
    return {steps[start : start + size].tobytes() for start in range(len(steps) - size + 1)}


def test_no_two_works_share_material() -> None:
    pieces = [compose(book, number) for book in (1, 2) for number in range(1, 25)]
    pieces += [distractor(index) for index in range(60)]
    # Chance makes two works share a scale or a turn, but never a long run of notes.
    for size, most in ((8, 0.05), (16, 0.0)):
        found = [runs(piece, size) for piece in pieces]
        for one, other in combinations(found, 2):
            assert len(one & other) <= most * min(len(one), len(other))
    # What the measure says of a work that is moved to another key: everything is shared.
    moved = replace(pieces[0], pitches=pieces[0].pitches + 1)
    assert runs(moved, 16) == runs(pieces[0], 16)


def same_music(one: Piece, other: Piece) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("onsets", "durations", "pitches", "voices")
    )


def test_the_seed_decides() -> None:
    assert same_music(compose(1, 7, 3), compose(1, 7, 3))
    assert not same_music(compose(1, 7, 3), compose(1, 7, 4))
    assert not same_music(compose(1, 7, 3), compose(2, 7, 3))
    assert same_music(distractor(40, 3), distractor(40, 3))


def test_works_are_named_as_bach_orders_them() -> None:
    keys = [compose(1, number).work.key for number in range(1, 25)]
    assert keys[:4] == ["C major", "C minor", "C# major", "C# minor"]
    assert keys[-1] == "B minor"
    assert compose(2, 24).work.collection == "Simulated Well-Tempered Clavier, Book II"


def test_variants_are_the_same_works_played_otherwise() -> None:
    pieces = variants()
    assert Counter(piece.id.rpartition("-")[2] for piece in pieces) == dict.fromkeys(
        ("fast", "slow", "staccato", "legato"), 2
    )
    for piece in pieces:
        original = compose(1, int(piece.id.split("-")[1]))
        assert piece.work == original.work
        assert same_music(piece, original)
        assert (piece.tempo, piece.articulation) != (original.tempo, original.articulation)
    again = book_two_variants()
    assert len({piece.work for piece in again}) == len({piece.id for piece in again}) == 11


def test_nine_other_styles() -> None:
    pieces = other_styles()
    assert len({piece.title for piece in pieces}) == 9
    for piece in pieces:
        check(piece)
        assert 60 <= piece.seconds <= 150


@pytest.mark.parametrize(("book", "number"), [(0, 1), (3, 1), (1, 0), (1, 25)])
def test_no_such_piece(book: int, number: int) -> None:
    with pytest.raises(AudeoBenchError, match=r"books 1\.\.2, numbers 1\.\.24"):
        compose(book, number)
