"""Everything that is kept as JSON: runs, their scores, the boards' rows, Table 2.

One base, one reader, one writer. Reading is strict: a field nobody knows, a string for a number, NaN or
another schema number is one clear error; an instance never changes. Arrays are lists here;
:mod:`audeo_bench.score` computes with them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from audeo_bench.api import FRAMES_PER_SECOND, Provenance
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.formats.text import parse_json, read_text
from audeo_bench.provenance import command, commit, hardware, versions

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s\"'<>]+$", max_length=500)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+=@-]{0,119}$")]
"""Safe as a file name on every system: letters, digits and ``. _ + = @ -``."""

KeyRange = Literal["88", "51"]
"""All keys, or the 51 that the authors' release scores (indices 15..65)."""
Outcome = Literal["right", "wrong", "nothing", "error"]
"""What became of one identification query. An error is no answer, and never counts as not recognised."""
Status = Literal["started", "success", "cancelled", "error"]

METRIC_VERSION = "2"
"""Changes whenever the same rolls would get other numbers; runs of different versions are not compared."""


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


Number = BeforeValidator(_no_bool)
"""Beside a Literal of numbers, which would take true for 1."""
Counts = list[list[Count]]
Shares = list[list[Annotated[float, Field(ge=0)]]]


class Strict(BaseModel):
    """Unknown fields, coerced types, NaN and infinity are all refused; an instance never changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    SCHEMA: ClassVar[int | None] = None
    """Of records that are files of their own; rises with what an older reader would misunderstand."""

    @classmethod
    def of_today(cls, content: Any) -> Any:
        """JSON content of an older schema in today's, where nothing is lost by it."""
        return content


# What was answered for, by whom, and how it came about.


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
        Whose labels the truth is, where the corpus may have several: ``PianoYT``, or ``the authors' release
        (2), Transkun (1)``.
    films_here : str or None
        ``2 of 3 films`` where some of the split's films, or their labels, were not there.
    limit : int or None
        Only the first so many recordings of the split: a quick look, for no board.
    """

    corpus: str = "arrays"
    version: str = "unknown"
    seed: int = 0
    split: str = "unknown"
    split_hash: str = "unknown"
    provenance: Provenance | None = None
    truth: Literal["sounding", "pressed"] = "sounding"
    truth_by: str | None = None
    films_here: str | None = None
    limit: int | None = None

    @property
    def particulars(self) -> str:
        """``, 2 of 3 films, truth: PianoYT`` for titles; nothing where all films were there and the corpus
        has one truth only.
        """
        films = f", {self.films_here}" if self.films_here else ""
        return films + (f", truth: {self.truth_by}" if self.truth_by else "")

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
    hardware : dict
        As :func:`audeo_bench.provenance.hardware` found it.
    processes : int
        That trained together.
    """

    seconds: Annotated[float, Field(gt=0)]
    hardware: dict[str, str | int]
    processes: Annotated[int, Field(ge=1)] = 1

    @property
    def unit(self) -> str:
        return "GPU-seconds" if "accelerator" in self.hardware else "CPU-seconds"

    @property
    def cost(self) -> float:
        """Seconds of all accelerators, or of all threads that torch had, together."""
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
    code: dict[str, Sha256] = {}
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
    seconds: Annotated[float, Field(ge=0)]
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

    SCHEMA: ClassVar[int | None] = 3

    schema_number: Annotated[Literal[3], Number] = Field(default=3, alias="schema")
    status: Status
    error: str | None = None
    system: str
    stages: tuple[StageRecord, ...]
    subject: Subject
    corpus_code: dict[str, Sha256] = {}
    origin: Origin
    started: str
    finished: str | None = None
    answers: dict[str, Answer] = {}

    @property
    def seconds(self) -> float:
        return sum(answer.seconds for answer in self.answers.values())

    @property
    def frames(self) -> int:
        return sum(answer.frames for answer in self.answers.values())

    @property
    def frames_per_second(self) -> float | None:
        return self.frames / self.seconds if self.seconds else None


# What the answers scored.


class BlockSums(Strict):
    """:class:`audeo_bench.score.frames.FrameCounts` as lists: a list of blocks for each threshold."""

    frames: Counts
    tp: Counts
    fp: Counts
    fn: Counts
    precision: Shares
    recall: Shares
    accuracy: Shares
    f1: Shares

    @model_validator(mode="after")
    def _possible(self) -> BlockSums:
        if len({(len(rows), *{len(row) for row in rows}) for _, rows in self}) != 1:
            raise ValueError("block sums of unequal lengths")
        truths = []
        for frames, tp, fn in zip(self.frames, self.tp, self.fn, strict=True):
            truths.append((frames, [found + missed for found, missed in zip(tp, fn, strict=True)]))
        if any(truth != truths[0] for truth in truths):
            raise ValueError("another truth at another threshold")
        for name in ("precision", "recall", "accuracy", "f1"):
            for sums, frames in zip(getattr(self, name), self.frames, strict=True):
                if any(value > count + 1e-6 for value, count in zip(sums, frames, strict=True)):
                    raise ValueError(f"{name} above 100 %")
        return self

    def fits(self, keys: int, block: int) -> bool:
        """Whether so many keys and frames a block can give these sums."""
        rows = zip(self.frames, self.tp, self.fp, self.fn, strict=True)
        return all(
            0 < frames <= block and tp + fp + fn <= keys * frames
            for each in rows
            for frames, tp, fp, fn in zip(*each, strict=True)
        )


class NoteCounts(Strict):
    """Notes matched, true and estimated, by one metric; add the fields of several recordings to pool them."""

    matched: Count
    reference: Count
    estimated: Count

    @model_validator(mode="after")
    def _possible(self) -> NoteCounts:
        if self.matched > min(self.reference, self.estimated):
            raise ValueError("more notes matched than there are")
        return self

    @property
    def precision(self) -> float:
        return self.matched / self.estimated if self.estimated else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.reference if self.reference else 0.0

    @property
    def f1(self) -> float:
        """0 where either side has no notes, as in mir_eval."""
        both = self.reference + self.estimated
        return 2 * self.matched / both if both else 0.0


class CellCounts(Strict):
    """Frames, and cells (a key in a frame) rightly on, wrongly on and wrongly off, by group."""

    frames: list[Count]
    tp: list[Count]
    fp: list[Count]
    fn: list[Count]


class CauseCounts(Strict):
    """The errors of one recording at one threshold, on all 88 keys.

    Attributes
    ----------
    false_positives : dict of str to (int or None)
        By ``CAUSES`` of :mod:`audeo_bench.score.causes`; they sum to all false positives. ``pressed`` is None
        where unknown.
    by_polyphony, by_register : CellCounts
        By ``POLYPHONIES`` of the frame and ``REGISTERS`` of the key; every register has all the frames.
    """

    false_positives: dict[str, Count | None]
    by_polyphony: CellCounts
    by_register: CellCounts


class RecordingScores(Strict):
    """One recording.

    Attributes
    ----------
    blocks : dict of {"88", "51"} to BlockSums
    notes : list of dict, or None
        For each threshold, by the names in ``NOTE_METRICS``. None where the true notes are unknown.
    causes : list of CauseCounts
        For each threshold, on all 88 keys.
    """

    blocks: dict[KeyRange, BlockSums]
    notes: list[dict[str, NoteCounts]] | None
    causes: list[CauseCounts]


class Scores(Strict):
    """All scores of one run.

    Block sums are the stored thing; every average, total and interval is computed from them.

    Attributes
    ----------
    thresholds : tuple of float
    block : int
        Frames a block.
    recordings : dict of str to RecordingScores
    """

    metric_version: Literal["2"] = METRIC_VERSION
    subject: Subject
    thresholds: tuple[float, ...]
    block: Annotated[int, Field(ge=1)]
    recordings: dict[str, RecordingScores]

    @model_validator(mode="after")
    def _possible(self) -> Scores:
        if not self.recordings:
            raise ValueError("no recordings")
        if len(set(self.thresholds)) != len(self.thresholds) or not all(0 < t <= 1 for t in self.thresholds):
            raise ValueError("thresholds are given once, above 0 and at most 1")
        for name, recording in self.recordings.items():
            if set(recording.blocks) != {"88", "51"}:
                raise ValueError(f"{name} has key ranges {sorted(recording.blocks)}")
            whole = recording.blocks["88"]
            listed = [whole.frames, recording.blocks["51"].frames, recording.causes, recording.notes]
            if any(len(each) != len(self.thresholds) for each in listed if each is not None):
                raise ValueError(f"{name} has block sums of unequal lengths")
            if recording.blocks["51"].frames != whole.frames or not all(
                sums.fits(int(keys), self.block) for keys, sums in recording.blocks.items()
            ):
                raise ValueError(f"{name} has counts that its frames and keys cannot give")
            for place, causes in enumerate(recording.causes):
                wrong = sum(count or 0 for count in causes.false_positives.values())
                if wrong != sum(whole.fp[place]):
                    raise ValueError(f"{name} has causes that do not add up to its false positives")
        return self

    def frames(self, recording: str) -> int:
        """How many frames of a recording were scored."""
        return sum(self.recordings[recording].blocks["88"].frames[0])


class StoredScores(Strict):
    """What ``scores.json`` holds: a run's scores, and the rolls (by :class:`Answer`) that they are of."""

    SCHEMA: ClassVar[int | None] = 2

    schema_number: Annotated[Literal[2], Number] = Field(default=2, alias="schema")
    rolls: dict[str, Sha256]
    scores: Scores


# What stands on a board.


class Excerpt(Strict):
    """Twenty seconds of the roll, to look at: for each pitch (``C4``) its runs, ``first+length`` in frames.

    Frames count from ``start``. ``truth`` holds the same of the truth, so that a picture needs no other file.
    """

    start: Count
    frames: Annotated[int, Field(ge=1)]
    threshold: float
    answer: dict[str, str]
    truth: dict[str, str]


class RowAnswer(Strict):
    """One answered recording: the roll's hash as in :class:`Answer`, and an excerpt to look at."""

    title: str
    frames: Annotated[int, Field(ge=1)]
    roll_sha256: Sha256
    excerpt: Excerpt | None


class Credit(Strict):
    """Who made a row's model, and where it is described and kept."""

    authors: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    paper: Address | None = None
    code: Address | None = None


class Times(Strict):
    """Everything that differs between two runs of the same command, in one place."""

    started: str | None
    submitted: str
    seconds: Annotated[float, Field(ge=0)] | None
    frames_per_second: Annotated[float, Field(ge=0)] | None


class Row(Strict):
    """One system on one board: ``leaderboards/<board>/<contestant>.json``.

    Attributes
    ----------
    answered_by : {"harness", "files"}
        ``files``: the rolls came from outside and the harness never ran the model.
    marks : tuple of str
        Remarks that stand beside the name, such as training on the composition in another performance.
    scores : Scores
        Every score, interval and comparison of a board is computed from them, without the rolls.
    """

    SCHEMA: ClassVar[int | None] = 3

    schema_number: Annotated[Literal[3], Number] = Field(default=3, alias="schema")
    board: Name
    contestant: Name
    answered_by: Literal["harness", "files"]
    stages: tuple[StageRecord, ...]
    marks: tuple[str, ...]
    answers: dict[str, RowAnswer]
    scores: Scores
    origin: Origin
    times: Times
    credit: Credit | None = None

    @classmethod
    def of_today(cls, content: Any) -> Any:
        """An older row says as much: schema 1 hashed ``nn/`` alone of the code, and until 2 intervals were
        kept beside the scores that they are computed from.
        """
        if not isinstance(content, dict) or type(content.get("schema")) is not int:
            return content
        if content["schema"] == 1:
            origin = content.get("origin")
            known = isinstance(origin, dict)
            origin = {n: value for n, value in origin.items() if n != "code_sha256"} if known else origin
            content = content | {"schema": 2, "origin": origin}
        if content["schema"] == 2:
            content = {n: value for n, value in content.items() if n != "intervals"} | {"schema": 3}
        return content

    @model_validator(mode="after")
    def _answers_are_scored(self) -> Row:
        if set(self.answers) != set(self.scores.recordings):
            raise ValueError("answers and scores name different recordings")
        if self.board != self.subject.board:
            raise ValueError(f"stands on {self.board}, but its scores are for {self.subject.board}")
        for name, answer in self.answers.items():
            if answer.frames != self.scores.frames(name):
                raise ValueError(
                    f"{name}: {answer.frames} frames answered, {self.scores.frames(name)} scored"
                )
        return self

    @property
    def subject(self) -> Subject:
        """Which recordings the row answers for."""
        return self.scores.subject

    @property
    def parameters(self) -> int | None:
        """Parameters of all stages together; None where a stage does not say."""
        each = [stage.parameters for stage in self.stages]
        return sum(number for number in each if number is not None) if each and None not in each else None

    @property
    def training_cost(self) -> tuple[str, float] | None:
        """The unit and the amount of what training took, all stages together; None where one does not say,
        or another unit.
        """
        trained = [stage.training for stage in self.stages if stage.weights_sha256]
        known = [each for each in trained if each is not None]
        if not known or len(known) < len(trained) or len({each.unit for each in known}) > 1:
            return None
        return known[0].unit, sum(each.cost for each in known)

    @property
    def seconds_a_minute(self) -> float | None:
        """Seconds of the whole chain for a minute of film, on the wall's clock of the machine that
        :attr:`Origin.hardware` names, rendering or decoding the frames left out; None where nobody measured.
        """
        frames = sum(answer.frames for answer in self.answers.values())
        return None if self.times.seconds is None else 60 * FRAMES_PER_SECOND * self.times.seconds / frames

    @property
    def trained_on(self) -> tuple[str, ...]:
        return tuple(sorted({name for stage in self.stages for name in stage.trained_on}))

    @property
    def rolls_sha256(self) -> str:
        """Of the hashes of all its rolls."""
        lines = (f"{name} {answer.roll_sha256}\n" for name, answer in sorted(self.answers.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class Verified(Strict):
    """A row that was computed again from its rolls and came out equal.

    Attributes
    ----------
    row_sha256 : str
        Of the row's file; another file of that name is not verified.
    rolls_sha256 : str
        Which rolls: :attr:`Row.rolls_sha256`.
    by : str
        Which audeo-bench computed it.
    """

    row_sha256: Sha256
    rolls_sha256: Sha256
    by: str


class Verifications(Strict):
    """What ``verified.json`` holds, by ``board/contestant``."""

    SCHEMA: ClassVar[int | None] = 2

    schema_number: Annotated[Literal[2], Number] = Field(default=2, alias="schema")
    rows: dict[str, Verified]


# Table 2.


class Tally(Strict):
    """Segments by outcome; ``percent`` is right of answered. An error is no answer."""

    percent: Percent | None
    answered: Count
    right: Count
    wrong: Count
    nothing: Count
    error: Count
    unasked: Count

    @model_validator(mode="after")
    def _adds_up(self) -> Tally:
        percent = round(100 * self.right / self.answered, 2) if self.answered else None
        if self.answered != self.right + self.wrong + self.nothing or percent != self.percent:
            raise ValueError("the counts do not add up to the percentage")
        return self

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None]) -> Tally:
        """Count outcomes; None stands for a segment that nobody was asked about."""
        counts = Counter(found or "unasked" for found in outcomes)
        answered = counts["right"] + counts["wrong"] + counts["nothing"]
        percent = round(100 * counts["right"] / answered, 2) if answered else None
        kinds = {kind: counts[kind] for kind in (*get_args(Outcome), "unasked")}
        return cls(percent=percent, answered=answered, **kinds)


class FalseAccepts(Strict):
    """With the right piece left out of the catalogue: segments named all the same."""

    accepted: Count
    asked: Count


class IdentificationRow(Strict):
    """What one service made of one system.

    Attributes
    ----------
    service, version : str
    system : str
    groups : dict of str to Tally
    strips : dict of str to list
        The outcomes of every recording's segments, in order; None where nobody was asked yet.
    false_accepts : FalseAccepts or None
        Offline engines only.
    median_margin : float or None
        Offline engines: between the best and the second-best piece.
    interval : (float, float) or None
        95 % of the total's rate over performances like these, in per cent; None where fewer than two were
        answered, and in results from before it was kept.
    """

    service: str
    version: str
    system: str
    groups: dict[Literal["total", "wtc1_variants", "wtc2_other"], Tally]
    strips: dict[str, list[Outcome | None]]
    false_accepts: FalseAccepts | None
    median_margin: float | None
    interval: tuple[Percent, Percent] | None = None

    @property
    def total(self) -> Tally:
        return self.groups["total"]


class CorpusName(Strict):
    """A corpus whose recordings were played, whatever their split."""

    name: str
    version: str
    seed: int


class Identification(Strict):
    """All rows of one run of ``audeo-bench identify`` over a corpus: ``identify.json``.

    Attributes
    ----------
    quick_look : bool
        Only a part of the recordings was played.
    title_rules : int or str
        The version of the rules by which titles are judged.
    systems : dict of str to tuple of StageRecord
        What played, stage by stage, as in the systems' runs.
    """

    SCHEMA: ClassVar[int | None] = 2

    schema_number: Annotated[Literal[2], Number] = Field(default=2, alias="schema")
    corpus: CorpusName
    provenance: Provenance
    quick_look: bool
    title_rules: int | str
    origin: Origin
    systems: dict[str, tuple[StageRecord, ...]] = {}
    rows: list[IdentificationRow]

    @classmethod
    def of_today(cls, content: Any) -> Any:
        """A result of schema 1 does not say what played."""
        if not isinstance(content, dict) or type(content.get("schema_version")) is not int:
            return content
        old = dict(content)
        if old.pop("schema_version") != 1 or not isinstance(old.get("command"), list):
            return content
        origin = {name: old.pop(name, None) for name in ("versions", "commit")}
        origin |= {"command": shlex.join(map(str, old.pop("command"))), "seed": 0, "hardware": {}}
        return old | {"schema": 2, "origin": origin}


Record = TypeVar("Record", bound=Strict)


def as_text(content: Strict) -> str:
    """JSON with sorted keys, indented, a list of numbers on one line, so that a change reads as a diff.

    The same content gives the same bytes, and floats read back exactly.
    """
    plain = content.model_dump(mode="json", by_alias=True)
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False)
    # A string holds no raw line break, so "[" before one always opens a list, here one without strings or
    # lists.
    return re.sub(r'\[\n[^\[\]{}"]+\]', lambda found: " ".join(found[0].split()), text) + "\n"


def write(path: Path, content: Strict) -> Path:
    """Write a record whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(as_text(content), encoding="utf-8")
    return path


def read(path: Path, kind: type[Record], remedy: str = "restore the file or make it again") -> Record:
    """Read a record strictly.

    Parameters
    ----------
    path : Path
    kind : type of Strict
    remedy : str
        What to do about a file that is not one, the end of the message.

    Raises
    ------
    AudeoBenchError
        Not readable, not JSON, another schema number, a field missing, unknown or of another type.
    """
    text = read_text(path, remedy=remedy)
    content = parse_json(text, str(path), remedy=remedy)
    try:
        return kind.model_validate_json(json.dumps(kind.of_today(content)))
    except ValidationError as fault:
        _refuse_other_schema(path, content, kind, remedy)
        first = fault.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        found = (
            "" if first["type"] in ("missing", "json_invalid") else f", found {str(first['input'])[:60]!r}"
        )
        more = f" (and {fault.error_count() - 1} more)" if fault.error_count() > 1 else ""
        raise AudeoBenchError(f"{path}: {where}: {first['msg']}{found}{more}; {remedy}.") from fault


def _refuse_other_schema(path: Path, content: object, kind: type[Strict], remedy: str) -> None:
    if kind.SCHEMA is None or not isinstance(content, dict):
        return
    number = content.get("schema", content.get("schema_version"))
    if type(number) is int and number != kind.SCHEMA:
        age, todo = ("an older", remedy) if number < kind.SCHEMA else ("a newer", "update audeo-bench")
        raise AudeoBenchError(
            f"{path}: schema {number}, from {age} audeo-bench; this one reads {kind.SCHEMA}: {todo}."
        )
