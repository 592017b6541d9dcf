"""The run folder: what a system answered and how that came about.

It holds ``run.json`` (:class:`RunRecord`), one ``rolls/<recording id>.npz`` a recording (key ``roll``,
float32, shape (88, T); key ``answered``, bool, shape (T,), where it answers for some frames only) and, once
scored, ``scores.json``. Every file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.api import AudeoBenchError, Provenance
from audeo_bench.files import atomic_write

if TYPE_CHECKING:
    from audeo_bench.corpus import Corpus

Status = Literal["started", "success", "cancelled", "error"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class StageRecord(_Record):
    """One contestant of the chain; ``facts`` is what its ``describe()`` said."""

    name: str
    file: str
    sha256: str
    weights: str | None
    weights_sha256: str | None
    trained_on: list[str] = []
    facts: dict[str, Any] = {}


class CorpusRecord(_Record):
    """Which recordings were answered for."""

    name: str
    version: str
    seed: int
    provenance: Provenance
    split: str
    split_hash: str


class Answer(_Record):
    """One recording's answer. Seconds are those of the whole chain, rendering or decoding frames left out."""

    frames: int
    seconds: float
    frames_per_second: float
    roll_sha256: str


class RunRecord(_Record):
    """What ``run.json`` holds. ``limit`` is not None for a quick look at a part of the split, which no board
    takes.
    """

    schema_version: Literal[1] = 1
    status: Status
    error: str | None = None
    system: str
    stages: list[StageRecord]
    corpus: CorpusRecord
    limit: int | None
    seed: int
    code_sha256: str
    commit: str | None
    versions: dict[str, str]
    hardware: dict[str, str | int]
    command: list[str]
    started: str
    finished: str | None = None
    answers: dict[str, Answer] = {}

    def identity(self) -> tuple[Any, ...]:
        """All that an answer depends on; equal identities may share answers."""
        stages = tuple((s.name, s.sha256, s.weights_sha256) for s in self.stages)
        return stages, self.corpus.model_dump_json(), self.seed, self.code_sha256


def run_folder(
    runs: Path, corpus: Corpus, split: str, system: str, limit: int | None = None, seed: int = 0
) -> Path:
    """Where a run goes unless told otherwise, such as ``runs/simulated-wtc2/keywise``."""
    parts = [corpus.name, split]
    parts += [f"corpus{corpus.seed}"] if corpus.seed else []
    parts += [f"seed{seed}"] if seed else []
    parts += [f"limit{limit}"] if limit is not None else []
    return runs / "-".join(parts) / system


def roll_path(folder: Path, recording: str) -> Path:
    return folder / "rolls" / f"{recording}.npz"


def read_roll(folder: Path, recording: str) -> np.ndarray:
    """A recording's kept answer, shape (88, T), float32; a missing or truncated file is one clear error."""
    path = roll_path(folder, recording)
    try:
        with np.load(path, allow_pickle=False) as file:
            return file["roll"]
    except FileNotFoundError as error:
        raise AudeoBenchError(
            f"{path}: missing; run the same `audeo-bench midi` command again to answer it."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError) as error:
        raise AudeoBenchError(
            f"{path}: truncated or not a run's roll ({error}); delete it and run the same "
            "`audeo-bench midi` command again."
        ) from error


def read_answered(folder: Path, recording: str) -> np.ndarray | None:
    """Which frames a stored answer answers for, shape (T,), bool; None where it answers for all."""
    with np.load(roll_path(folder, recording), allow_pickle=False) as file:
        return file.get("answered")


def roll_sha256(roll: np.ndarray) -> str:
    """Of the roll's float32 values, row by row: independent of how the file was compressed."""
    return hashlib.sha256(np.ascontiguousarray(roll, np.float32).tobytes()).hexdigest()


def read_record(folder: Path) -> RunRecord:
    """The run folder's ``run.json``."""
    path = folder / "run.json"
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise AudeoBenchError(f"{folder}: not a run folder (it has no run.json).") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise AudeoBenchError(
            f"{path}: not a run record of this version ({where}: {first['msg']})."
        ) from error


def write_record(folder: Path, record: RunRecord) -> None:
    with atomic_write(folder / "run.json") as temporary:
        temporary.write_text(record.model_dump_json(indent=2) + "\n")


def check_same_corpus(folder: Path, record: RunRecord, corpus: CorpusRecord) -> None:
    """Refuse a run folder that answered for other recordings than ``corpus``."""
    for field in ("name", "version", "seed", "split", "split_hash"):
        was, now = getattr(record.corpus, field), getattr(corpus, field)
        if was != now:
            raise AudeoBenchError(
                f"{folder}: was made with {field.replace('_', ' ')} {was} of corpus "
                f"{record.corpus.name}, but now it is {now}; choose another folder with --runs, or "
                "delete this one and predict again."
            )
