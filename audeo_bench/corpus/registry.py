"""Local data that a user registers once: ``audeo-bench data add NAME DIR``.

Data stay where the user keeps them; nothing is copied. The registry remembers the folder and the SHA-256 of
every file used, so that a corpus opened later notices when one has changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus import check_choice
from audeo_bench.corpus.reenacted.pianoyt import LABELS
from audeo_bench.files import atomic_write, sha256_of
from audeo_bench.formats.text import read_text

__all__ = ["SOURCES", "Registered", "Source", "add", "data_home", "find", "registered"]


class Registered(BaseModel):
    """One registered folder, as it is stored.

    Attributes
    ----------
    files : dict
        Path inside the folder -> SHA-256.
    as_published : bool or None
        Whether every file is byte for byte the published one; None where no published checksums are known.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    directory: Path
    files: dict[str, str]
    as_published: bool | None

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits over all files' names and contents."""
        listing = "\n".join(f"{digest}  {path}" for path, digest in sorted(self.files.items()))
        return hashlib.sha256(listing.encode()).hexdigest()[:8]

    def open(self, path: str) -> Path:
        """The full path of a registered file, after checking that it still is what was registered."""
        full = self.directory / path
        if _sha256(full) != self.files[path]:
            raise AudeoBenchError(
                f"{full}: changed since it was registered; run `audeo-bench data add "
                f"{self.name} {self.directory}` again."
            )
        return full


@dataclass(frozen=True)
class Source:
    """What the registry knows about a kind of data before anyone has it."""

    title: str
    corpus: str
    licence: str
    citation: str
    published: str
    signs: tuple[str, ...]
    """Files that must lie in the folder, one of each line's alternatives (separated by ``|``)."""
    wanted: Callable[[Path], list[str]]
    checksums: Mapping[str, str]


def _asap_performances(directory: Path) -> list[str]:
    return sorted(
        path.relative_to(directory).as_posix()
        for kind in ("Prelude", "Fugue")
        for path in (directory / "Bach" / kind).glob("bwv_*/*.mid")
        if path.stem != "midi_score"
    )


SOURCES: Mapping[str, Source] = {
    "pianoyt": Source(
        title="PianoYT, labels of real piano videos",
        corpus="audeo-reenacted",
        licence="Creative Commons Attribution 4.0 International (CC BY 4.0)",
        citation=(
            "A. S. Koepke, O. Wiles, Y. Moses, A. Zisserman, "
            '"Sight to sound: An end-to-end approach for visual piano transcription", ICASSP 2020'
        ),
        published="https://www.robots.ox.ac.uk/~vgg/research/sighttosound/",
        signs=("README.md|README.txt|README", "license.txt|LICENSE", "pianoyt.csv|pianoyt_videos.csv"),
        wanted=lambda directory: [label.file for label in LABELS],
        checksums={label.file: label.sha256 for label in LABELS},
    ),
    "asap": Source(
        title="ASAP, aligned scores and performances (Bach's preludes and fugues)",
        corpus="asap",
        licence="Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International (CC BY-NC-SA 4.0)",
        citation=(
            "F. Foscarin, A. McLeod, P. Rigaux, F. Jacquemard, M. Sakai, "
            '"ASAP: a dataset of aligned scores and performances for piano transcription", ISMIR 2020'
        ),
        published="https://github.com/fosfrancesco/asap-dataset",
        signs=("LICENSE.md|LICENSE", "metadata.csv"),
        wanted=_asap_performances,
        checksums={},
    ),
}


def data_home() -> Path:
    """Where the registry lives: ``AUDEO_BENCH_DATA``, or the user's data folder."""
    home = os.environ.get("AUDEO_BENCH_DATA")
    return Path(home) if home else Path(platformdirs.user_data_dir("audeo-bench"))


def add(name: str, directory: Path) -> Registered:
    """Validate a local copy of a data set and remember where it is.

    Parameters
    ----------
    name : str
        A key of :data:`SOURCES`.
    directory : Path

    Raises
    ------
    AudeoBenchError
        If the name is unknown, a file is missing, or one is no MIDI file.
    """
    check_choice("data set", name, SOURCES, "the registry")
    source, directory = SOURCES[name], Path(directory).expanduser().resolve()
    if not directory.is_dir():
        raise AudeoBenchError(
            f"{directory}: no such folder; give a local copy of {source.title}, {source.published}."
        )
    for sign in source.signs:
        if not any((directory / file).is_file() for file in sign.split("|")):
            raise AudeoBenchError(
                f"{directory}: no {sign.replace('|', ' or ')}; this is not a whole copy of {source.title}, "
                f"published at {source.published}."
            )
    files = source.wanted(directory)
    if not files:
        raise AudeoBenchError(
            f"{directory}: no performances in Bach/Prelude and Bach/Fugue; give ASAP's root folder."
        )
    for file in files:
        _check_midi(directory / file, source)
    digests = {file: _sha256(directory / file) for file in files}
    entry = Registered(
        name=name,
        directory=directory,
        files=digests,
        as_published=digests == dict(source.checksums) if source.checksums else None,
    )
    with atomic_write(_entry_path(name)) as temporary:
        temporary.write_text(entry.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return entry


def registered() -> list[Registered]:
    """Every registered data set."""
    return [_read(name) for name in SOURCES if _entry_path(name).is_file()]


def find(name: str) -> Registered:
    """A registered data set.

    Raises
    ------
    AudeoBenchError
        If it is not registered, or its folder has gone; says how to register it and where it is published.
    """
    source = SOURCES[name]
    how = (
        f"get a copy of {source.title} from {source.published}, then run `audeo-bench data add {name} DIR` "
        "with DIR its folder."
    )
    if not _entry_path(name).is_file():
        raise AudeoBenchError(f"corpus {source.corpus}: {name} is not registered here; {how}")
    entry = _read(name)
    if not entry.directory.is_dir():
        raise AudeoBenchError(f"{entry.directory}: registered as {name}, but no longer there; {how}")
    return entry


def _entry_path(name: str) -> Path:
    return data_home() / "registry" / f"{name}.json"


def _read(name: str) -> Registered:
    path = _entry_path(name)
    try:
        remedy = f"remove it and run `audeo-bench data add {name} DIR` again"
        return Registered.model_validate_json(read_text(path, remedy=remedy))
    except ValidationError:
        raise AudeoBenchError(
            f"{path}: not a registry entry; remove it and run `audeo-bench data add {name} DIR` again."
        ) from None


def _check_midi(path: Path, source: Source) -> None:
    from audeo_bench.formats.midi import read_midi

    if not path.is_file():
        raise AudeoBenchError(f"{path}: missing; {source.title} as published at {source.published} has it.")
    if not len(read_midi(path).notes):
        raise AudeoBenchError(f"{path}: holds no notes; copy it again from {source.published}.")


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as problem:
        raise AudeoBenchError(
            f"{path}: cannot be read ({problem.strerror}); check the registered folder."
        ) from None
