"""Rows: what one contestant reached on one board, as a file that reviews as a diff.

A row is ``leaderboards/<board>/<contestant>.json``. It holds the sums over 20-second blocks, from which every
score, interval and comparison can be computed again without the rolls, and the SHA-256 of the rolls and files
behind them. Reading is strict: a field nobody knows, a string for a number or another schema number is one
clear error.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from audeo_bench.api import AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.score.scores import Scores, Subject

SCHEMA = 1
"""Rises with every change that an older reader would misunderstand."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Percent = Annotated[float, Field(ge=0, le=100)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+=@-]{0,119}$")]
"""Safe as a file name on every system: letters, digits and ``. _ + = @ -``."""


Content = TypeVar("Content", bound=BaseModel)


class Strict(BaseModel):
    """Unknown fields, coerced types, NaN and infinity are all refused; an instance never changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class StageRecord(Strict):
    """One stage of the contestant, and where its knowledge comes from."""

    name: str
    sha256: Sha256 | None
    weights_sha256: Sha256 | None
    parameters: Annotated[int, Field(ge=0)] | None
    configuration: dict[str, JsonValue]
    trained_on: tuple[str, ...]


class Excerpt(Strict):
    """Twenty seconds of the roll, to look at: for each pitch (``C4``) its runs, ``first+length`` in frames.

    Frames count from ``start``. ``truth`` holds the same of the truth, so that a picture needs no other file.
    """

    start: Annotated[int, Field(ge=0)]
    frames: Annotated[int, Field(ge=1)]
    threshold: float
    answer: dict[str, str]
    truth: dict[str, str]


class AnswerRecord(Strict):
    """One answered recording: the hash of the roll (see ``run_folder.roll_sha256``) and an excerpt to look
    at.
    """

    title: str
    frames: Annotated[int, Field(ge=1)]
    roll_sha256: Sha256
    excerpt: Excerpt | None


class Intervals(Strict):
    """Bootstrap intervals of F1 in percent by metric name (``frame_mean.51@0.4``), and their draws."""

    draws: Annotated[int, Field(ge=1)]
    seed: int
    level: Annotated[float, Field(gt=0, lt=1)]
    f1: dict[str, tuple[Percent, Percent]]


class Origin(Strict):
    """What has to be the same for the answers to be the same again."""

    command: str
    seed: int
    code_sha256: Sha256 | None
    commit: str | None
    versions: dict[str, str]
    hardware: dict[str, str | int]


class Times(Strict):
    """Everything that differs between two runs of the same command, in one place."""

    started: str | None
    submitted: str
    seconds: Annotated[float, Field(ge=0)] | None
    frames_per_second: Annotated[float, Field(ge=0)] | None


class Row(Strict):
    """One contestant on one board. See the module's docstring."""

    schema_number: Literal[1] = Field(alias="schema")
    board: Name
    contestant: Name
    answered_by: Literal["harness", "files"]
    """``files``: the rolls came from outside and the harness never ran the model."""
    stages: tuple[StageRecord, ...]
    marks: tuple[str, ...]
    """Remarks that stand beside the name, such as training on the composition in another performance."""
    answers: dict[str, AnswerRecord]
    scores: Scores
    """Block sums by recording; every figure of a board is computed from them."""
    intervals: Intervals
    origin: Origin
    times: Times

    @model_validator(mode="after")
    def _answers_are_scored(self) -> Row:
        if set(self.answers) != set(self.scores.recordings):
            raise ValueError("answers and scores name different recordings")
        self.scores.check_lengths()
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
    def trained_on(self) -> tuple[str, ...]:
        return tuple(sorted({name for stage in self.stages for name in stage.trained_on}))


def board_name(corpus: str, split: str, seed: int = 0) -> str:
    """The folder of a board: corpus and split, such as ``simulated-wtc2``, and the corpus's seed where it is
    not 0.
    """
    return f"{corpus}-{split}" + (f"-corpus{seed}" if seed else "")


def file_name(contestant: str) -> str:
    """A contestant's name made safe as a file name: other characters than ``Name`` allows become ``-``."""
    safe = re.sub(r"[^A-Za-z0-9._+=@-]+", "-", contestant).lstrip("._+=@-")[:120]
    if not safe:
        raise AudeoBenchError(
            f"{contestant!r}: no letter or digit in this name; give the contestant another."
        )
    return safe


def as_text(content: BaseModel) -> str:
    """JSON with sorted keys, indented, a list of numbers on one line, so that a change reads as a diff."""
    plain = content.model_dump(mode="json", by_alias=True)
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False)
    # A string holds no raw line break, so "[" before one always opens a list, here one without strings or
    # lists.
    return re.sub(r'\[\n[^\[\]{}"]+\]', lambda found: " ".join(found[0].split()), text) + "\n"


def write_row(row: Row, folder: Path) -> Path:
    """Write ``row`` into ``folder`` (``leaderboards/``), whole or not at all; returns the file."""
    path = folder / row.board / f"{file_name(row.contestant)}.json"
    with atomic_write(path) as temporary:
        temporary.write_text(as_text(row), encoding="utf-8")
    return path


def read_row(path: Path) -> Row:
    """Read one row strictly.

    Raises
    ------
    AudeoBenchError
        Not readable, not JSON, another schema number, a field missing, unknown or of another type, or a row
        that lies in another board's folder or under another name than it says.
    """
    row = read_strictly(path, Row)
    if row.board != path.parent.name or file_name(row.contestant) != path.stem:
        raise AudeoBenchError(
            f"{path}: the row says {row.board}/{row.contestant}; move it to "
            f"{row.board}/{file_name(row.contestant)}.json or submit it again."
        )
    return row


def read_strictly(path: Path, kind: type[Content]) -> Content:
    """Parse a JSON file as ``kind``, or say in one line which field is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise AudeoBenchError(f"{path}: cannot be read ({fault}).") from fault
    try:
        return kind.model_validate_json(text)
    except ValidationError as fault:
        _refuse_other_schema(path, text)
        first = fault.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        found = (
            "" if first["type"] in ("missing", "json_invalid") else f", found {str(first['input'])[:60]!r}"
        )
        more = f" (and {fault.error_count() - 1} more)" if fault.error_count() > 1 else ""
        raise AudeoBenchError(
            f"{path}: {where}: {first['msg']}{found}{more}; restore the file or submit the run again."
        ) from fault


def _refuse_other_schema(path: Path, text: str) -> None:
    try:
        content = json.loads(text)
    except ValueError:
        return
    number = content.get("schema") if isinstance(content, dict) else None
    if isinstance(number, int) and number != SCHEMA:
        age = "an older" if number < SCHEMA else "a newer"
        todo = "submit the run again" if number < SCHEMA else "update audeo-bench"
        raise AudeoBenchError(
            f"{path}: schema {number}, from {age} audeo-bench; this one reads {SCHEMA}: {todo}."
        )
