"""Real scores out of music21, acted out; and the catalogue's own performances of them."""

import importlib.util

import numpy as np
import pytest

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus import open_corpus
from audeo_bench.corpus.reenacted.known_works import KNOWN_WORKS, _one_note_a_key, piece_of
from audeo_bench.identify.catalogue.sources import known_sources
from audeo_bench.identify.titles import Answer, judge

needs_music21 = pytest.mark.skipif(
    importlib.util.find_spec("music21") is None, reason="music21 is not installed ([known-works] extra)"
)


def test_without_music21_the_corpus_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AudeoBenchError, match=r"pip install 'audeo-bench\[known-works\]'"):
        open_corpus("known-works")


@needs_music21
@pytest.mark.parametrize(
    ("name", "first_pitches"), [("bwv846-prelude", [60, 64, 67, 72, 76]), ("mazurka-op6-2", [])]
)
def test_a_known_work_is_its_score_played(name, first_pitches):
    piece = piece_of(name)
    assert len(piece.onsets) > 400
    assert piece.pitches[: len(first_pitches)].tolist() == first_pitches
    assert np.all(np.diff(piece.onsets) >= 0) and np.all(piece.durations > 0)
    corpus = open_corpus("known-works")
    assert corpus.ids("known") == tuple(KNOWN_WORKS)
    recording = corpus.recording(name)
    assert recording.provenance == "re-enacted"
    assert 60 < recording.seconds < 400
    assert recording.pressed is not None
    assert recording.pressed.shape == recording.sounding.shape == (88, len(recording))
    notes = np.diff(recording.pressed.astype(int), axis=1, prepend=0) == 1
    assert notes.sum() > 0.9 * len(piece.onsets)


@needs_music21
def test_the_catalogue_plays_the_same_works_otherwise():
    (source,) = [each for each in known_sources() if each.name == "bwv846-prelude"]
    recording = open_corpus("known-works").recording("bwv846-prelude")
    assert source.work == recording.work
    assert abs(len(source.audio()) / 16_000 - recording.seconds) > 1


@pytest.mark.parametrize(
    ("name", "title", "artist"),
    [
        ("bwv846-prelude", "Das Wohltemperierte Klavier I: Praeludium C-Dur, BWV 846", "Svjatoslav Richter"),
        ("maple-leaf-rag", "Maple Leaf Rag", "Scott Joplin"),
        ("k545-allegro", "Piano Sonata No. 16 in C Major, K. 545: I. Allegro", "Mozart, Uchida"),
        ("mazurka-op6-2", "Mazurka in C-Sharp Minor, Op. 6 No. 2", "Chopin"),
        ("polonaise-op1-1", "4 Polonaises, Op. 1: No. 1 in E-Flat Major", "Clara Schumann"),
    ],
)
def test_what_a_service_calls_them_is_right(name, title, artist):
    assert judge(KNOWN_WORKS[name].work, Answer(title, artist)) == "match"


def test_a_key_is_asked_for_by_one_note_at_a_time():
    rows = np.array([[0, 4, 60, 1], [0, 1, 60, 0], [2, 1, 60, 0], [2, 1, 64, 0]], float)
    onsets, durations, pitches, _ = _one_note_a_key(rows)
    assert list(zip(onsets, durations, pitches, strict=True)) == [(0, 2, 60), (2, 1, 60), (2, 1, 64)]
