"""What was answered for, by whom, and how it came about: ``run.json``."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from audeo_bench.api import Provenance
from audeo_bench.provenance import command, commit, hardware, versions
from audeo_bench.records.strict import Count, Moment, Number, Seconds, Sha256, Strict

Status = Literal["started", "success", "cancelled", "error"]


class Subject(Strict):
    """Which recordings were answered for, and against which truth. Only equal subjects are compared.

    Attributes
    ----------
    corpus, version : str
        ``arrays`` for rolls that come from no corpus; they compare only with such.
    seed : int
        The corpus's.
    split, split_hash : str
        The hash covers the recordings' ids and truths.
    truth_by : str or None
        Whose labels the truth is, or of what kind: ``true MIDI``, ``PianoYT``, or ``the authors' release (2),
        Transkun (1)``. None where the corpus makes it itself, and in older rows of films.
    films_here : str or None
        ``2 of 3 films`` where some of the split's films, or their labels, were not there.
    limit : int or None
        Only the first so many recordings of the split: a quick look, for no board.
    """

    corpus: str = "arrays"
    version: str = "unknown"
    seed: Count = 0
    split: str = "unknown"
    split_hash: str = "unknown"
    provenance: Provenance | None = None
    truth: Literal["sounding", "pressed"] = "sounding"
    truth_by: str | None = None
    films_here: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None

    @property
    def particulars(self) -> str:
        """``, 2 of 3 films, truth: PianoYT`` for titles; of films that were all there only their truth."""
        films = f", {self.films_here}" if self.films_here else ""
        return films + (f", truth: {self.truth_by}" if self.truth_by else "")

    def differences(self, other: Subject) -> list[tuple[str, object, object]]:
        """(field, here, there) of all in which two subjects differ.

        Where one does not name its truth, ``split_hash`` alone tells whether both have the same.
        """
        found = [(name, getattr(self, name), getattr(other, name)) for name in type(self).model_fields]
        return [
            (name, here, there)
            for name, here, there in found
            if here != there and (name != "truth_by" or None not in (here, there))
        ]

    @property
    def board(self) -> str:
        return board_name(self.corpus, self.split, self.seed)


def board_name(corpus: str, split: str, seed: int = 0) -> str:
    """The folder of a board: corpus and split, such as ``simulated-wtc2``, and the corpus's seed where it is
    not 0.
    """
    return f"{corpus}-{split}" + (f"-corpus{seed}" if seed else "")


class Training(Strict):
    """What it took to train a stage.

    Attributes
    ----------
    seconds : float
        Of its steps, on the wall's clock; validation left out.
    processor_seconds : float or None
        The same of all of a process's threads, by the processor's clock, which counts no other work of the
        machine; None where it was not measured.
    hardware : dict
        As :func:`audeo_bench.provenance.hardware` found it.
    processes : int
        That trained together.
    """

    seconds: Annotated[float, Field(gt=0)]
    processor_seconds: Annotated[float, Field(gt=0)] | None = None
    hardware: dict[str, str | int]
    processes: Annotated[int, Field(ge=1)] = 1

    @property
    def unit(self) -> str:
        return "GPU-seconds" if "accelerator" in self.hardware else "CPU-seconds"

    @property
    def cost(self) -> float:
        """Seconds of all accelerators, of processors, or if these were not measured of torch's threads."""
        if self.unit == "CPU-seconds" and self.processor_seconds is not None:
            return self.processor_seconds * self.processes
        threads = 1 if self.unit == "GPU-seconds" else self.hardware.get("threads", 1)
        return self.seconds * self.processes * (threads if isinstance(threads, int) else 1)


class StageRecord(Strict):
    """One contestant of a chain, and where its knowledge comes from.

    Attributes
    ----------
    file, weights : str or None
        See :func:`audeo_bench.provenance.place`; in a row the bare name of what lies elsewhere.
    code : dict of str to str
        In a run: the code that the answers come from, by :func:`audeo_bench.provenance.code_of`.
    code_sha256 : str or None
        In a row: one digest of ``code``.
    sha256 : str or None
        Of the file; None where answers were handed in and no code ran.
    parameters : int or None
        Of its net, where ``describe()`` says so.
    configuration : dict
        The rest of what ``describe()`` said.
    trained_on : tuple of str
        ``corpus/split`` or ``corpus/recording``, as it declares them; behind a split that was not whole
        stands how much of it was, as in ``audeo-films/wtc1 (19 of 21 films)``.
    training_seed : int or None
        Of the training that made the weights; None where nothing beside them says so.
    training : Training or None
        What that training took, where it is known.
    """

    name: str
    file: str | None = None
    sha256: Sha256 | None
    code: dict[str, Sha256] = Field(default_factory=dict)
    code_sha256: Sha256 | None = None
    weights: str | None = None
    weights_sha256: Sha256 | None
    parameters: Count | None
    configuration: dict[str, JsonValue]
    trained_on: tuple[str, ...]
    training_seed: int | None = None
    training: Training | None = None


class Origin(Strict):
    """What has to be the same for the answers to be the same again.

    Attributes
    ----------
    command : str
        What the user typed.
    seed : int
        Of the contestants' random numbers.
    commit : str or None
        Of the package's checkout; None for an installed wheel.
    """

    command: str
    seed: int
    commit: str | None
    versions: dict[str, str]
    hardware: dict[str, str | int]

    @classmethod
    def here(cls, seed: int = 0) -> Origin:
        """This command, on this machine, now."""
        return cls(
            command=shlex.join(command()),
            seed=seed,
            commit=commit(),
            versions=versions(),
            hardware=hardware(),
        )


class Answer(Strict):
    """One recording's answer in a run folder.

    Attributes
    ----------
    frames : int
        Answered for.
    seconds : float
        Of the whole chain, rendering or decoding the frames left out.
    roll_sha256 : str
        See :func:`audeo_bench.runs.folder.roll_sha256`.
    """

    frames: Count
    seconds: Seconds
    roll_sha256: Sha256


class RunRecord(Strict):
    """What ``run.json`` holds: one system's answers for one subject.

    Attributes
    ----------
    error : str or None
        The traceback of what stopped it.
    corpus_code : dict of str to str
        The code that recordings come from, as a stage's ``code``.
    answers : dict of str to Answer
        By recording.
    """

    schema_number: Annotated[Literal[3], Number] = Field(default=3, alias="schema")
    status: Status
    error: str | None = None
    system: str
    stages: Annotated[tuple[StageRecord, ...], Field(min_length=1)]
    subject: Subject
    corpus_code: dict[str, Sha256] = Field(default_factory=dict)
    origin: Origin
    started: Moment
    finished: Moment | None = None
    answers: dict[str, Answer] = Field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(answer.seconds for answer in self.answers.values())

    @property
    def frames(self) -> int:
        return sum(answer.frames for answer in self.answers.values())

    @property
    def frames_per_second(self) -> float | None:
        return self.frames / self.seconds if self.seconds else None
