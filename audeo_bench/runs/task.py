"""What is to be answered for, and where the answers go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from audeo_bench.api import Recording
from audeo_bench.corpus import Corpus, open_corpus
from audeo_bench.files import file_name
from audeo_bench.records import Subject, board_name


@dataclass(frozen=True)
class Task:
    """A split of a corpus, or only its first ``limit`` recordings: a quick look, marked as such.

    Attributes
    ----------
    runs : Path
        Where run folders go.
    seed : int
        Python's, numpy's and torch's generators are set from it and the recording's id before each recording.
    """

    corpus: Corpus
    split: str
    runs: Path = Path("runs")
    limit: int | None = None
    seed: int = 0

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return self.corpus.ids(self.split)[: self.limit]

    @cached_property
    def subject(self) -> Subject:
        """For the record. The truth of the whole split is read for its hash."""
        return Subject(
            corpus=self.corpus.name,
            version=self.corpus.version,
            seed=self.corpus.seed,
            split=self.split,
            split_hash=self.corpus.split_hash(self.split),
            provenance=self.corpus.provenance,
            truth=self.corpus.truth,
            truth_by=self.corpus.truth_by(self.split),
            films_here=self.corpus.films_here(self.split),
            limit=self.limit,
        )

    @property
    def board(self) -> str:
        """The board that runs of this task stand on."""
        return board_name(self.corpus.name, self.split, self.corpus.seed)

    def recordings(self, names: Sequence[str] | None = None) -> Sequence[Recording]:
        """All, or those that are named, in order; each is made when it is asked for, so that a large corpus
        needs no more memory than a small one.
        """
        return _Recordings(self.corpus, self.ids if names is None else tuple(names))

    def folder(self, system: str) -> Path:
        """A system's run folder, such as ``runs/simulated-wtc2/keywise``."""
        seed = f"-seed{self.seed}" if self.seed else ""
        limit = "" if self.limit is None else f"-limit{self.limit}"
        return self.runs / f"{self.board}{seed}{limit}" / file_name(system)


@dataclass(frozen=True)
class _Recordings(Sequence[Recording]):
    corpus: Corpus
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Recording: ...

    @overload
    def __getitem__(self, index: slice) -> _Recordings: ...

    def __getitem__(self, index: int | slice) -> Recording | _Recordings:
        if isinstance(index, slice):
            return _Recordings(self.corpus, self.ids[index])
        return self.corpus.recording(self.ids[index])


def open_task(
    corpus: str, split: str, runs: Path, limit: int | None = None, seed: int = 0, corpus_seed: int = 0
) -> Task:
    """A task on a corpus that is opened by its name.

    Raises
    ------
    AudeoBenchError
        No such corpus or split, or the corpus's data are not registered.
    """
    opened = open_corpus(corpus, seed=corpus_seed)
    opened.ids(split)
    return Task(opened, split, runs, limit, seed)
