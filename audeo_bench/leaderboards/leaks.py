"""What a contestant was trained on, held against the recordings it is tested on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

from audeo_bench.api import AudeoBenchError, Work
from audeo_bench.corpus import CORPORA, PICTURES, Corpus, open_corpus
from audeo_bench.corpus.sets.film import Film, listing_of
from audeo_bench.corpus.sets.here import is_set, open_set

SAME_COMPOSITION = "same composition"
UNKNOWN_DATA = "unknown training data"


def check_training(trained_on: Sequence[str], corpus: Corpus, split: str, contestant: str) -> tuple[str, ...]:
    """Refuse what trained on a test recording, and mark what trained on the composition in another
    performance. A film of YouTube is the same recording in whatever set it stands.

    Parameters
    ----------
    trained_on : sequence of str
        ``corpus/recording`` or ``corpus/split``, as contestants declare it. A recording of another corpus
        than the tested one is looked up where that corpus can be opened here. ``corpus/split (19 of 21
        films)`` counts as the whole split. ``pictures/folder`` are keyboards without a performance.
    corpus, split : Corpus, str
        What is tested on.
    contestant : str
        For the message.

    Returns
    -------
    marks : tuple of str
        What stands beside the contestant's name, a keyword and a colon first; empty where all is well.

    Raises
    ------
    AudeoBenchError
        A test recording is among the training data, or a name that is not of the form above.
    """
    tested = set(corpus.ids(split))
    filmed = _youtube(corpus.name, tested)
    works = {name: corpus.work(name) for name in tested}
    marks: list[str] = []
    for name in trained_on:
        home, slash, inside = name.partition("/")
        if not slash or not inside:
            raise AudeoBenchError(
                f"{contestant}: trained_on names {name!r}; write corpus/split or corpus/recording, such as "
                "simulated/wtc1."
            )
        if home == PICTURES:
            continue
        source = corpus if home == corpus.name else _open(home, corpus.seed)
        seen = _recordings(source, inside) if source else None
        if source is None or seen is None:
            marks.append(f"{UNKNOWN_DATA}: {name}")
            continue
        if source is corpus:
            known = {corpus.whole(recording) for recording in seen}
            leaked = {recording for recording in tested if corpus.whole(recording) in known}
        else:
            leaked = {filmed[film] for film in filmed.keys() & _youtube(home, set(seen)).keys()}
        if leaked:
            raise AudeoBenchError(
                f"{contestant}: trained on {name}, which holds the test recording {min(leaked)}; a "
                "contestant that saw a "
                "test recording is never on a board."
            )
        marks += _same_compositions(name, source, seen, works)
    return tuple(dict.fromkeys(marks))


@dataclass(frozen=True)
class _Films:
    """What a set's file says of its films, whether they are on this machine or not."""

    films: Mapping[str, Film]

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return listing_of(self.films.values())

    def work(self, recording_id: str) -> Work:
        return self.films[recording_id].played


def _open(name: str, seed: int) -> Corpus | _Films | None:
    try:
        if name in CORPORA:
            return open_corpus(name, seed)
        return _Films({film.id: film for film in open_set(name)[0].films}) if is_set(name) else None
    except AudeoBenchError:
        return None  # its data are not on this machine


def _youtube(name: str, recordings: Set[str]) -> dict[str, str]:
    """Which of a set's recordings each film of YouTube is."""
    films = open_set(name)[0].films if is_set(name) else ()
    return {film.youtube: film.id for film in films if film.youtube and film.id in recordings}


def _recordings(corpus: Corpus | _Films, inside: str) -> tuple[str, ...] | None:
    """The ids that a split or a recording stands for, of a further take too (``wtc1~t1``, ``wtc1-05~t1``)."""
    base, tilde, take = inside.partition(" (")[0].partition("~")  # without how many films were there
    listing = corpus.listing()
    known = {recording for ids in listing.values() for recording in ids}
    ids = listing.get(base) or ((base,) if base in known else None)
    return ids and tuple(f"{recording}{tilde}{take}" for recording in ids)


def _same_compositions(
    name: str, corpus: Corpus | _Films, seen: Iterable[str], works: dict[str, Work]
) -> list[str]:
    identities = {_identity(work): tested for tested, work in works.items()}
    marks = []
    for recording in seen:
        tested = identities.get(_identity(_work(corpus, recording.partition("~")[0])))
        if tested:
            marks.append(f"{SAME_COMPOSITION}: trained on {tested}'s composition in {name}")
    return marks


def _work(corpus: Corpus | _Films, recording: str) -> Work:
    return corpus.work(recording) if isinstance(corpus, _Films) else _composed(corpus, recording)


@cache
def _composed(corpus: Corpus, recording: str) -> Work:
    """Every take plays the same work, and a simulated corpus composes it to tell."""
    return corpus.work(recording)


def _identity(work: Work) -> tuple[object, ...]:
    """What makes two recordings performances of one composition: its catalogue number, else its place, else
    its title.
    """
    if work.bwv is not None:
        return ("BWV", work.bwv)
    if work.collection is not None and work.number is not None:
        return (work.composer, work.collection, work.number)
    return (work.composer, work.title)
