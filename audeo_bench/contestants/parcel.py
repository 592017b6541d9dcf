"""A contestant by content: what goes to a worker on another machine, and what it makes of it.

Where the worker finds files of the same digests at the same places, those are used; else what came with the
parcel is written into the cache, under its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import Contestant, changed_meanwhile, weights_beside
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write, sha256_of
from audeo_bench.places import cache_folder

LARGEST = 32 * 2**20
"""Bytes of Python files that may lie in a contestant's folder."""
_LEFT_OUT = {"__pycache__", "node_modules", "site-packages"}


@dataclass(frozen=True)
class Parcel:
    """A contestant with what it is made of.

    Attributes
    ----------
    contestant : Contestant
        With the paths of the machine it was packed on.
    digests : mapping of str to str
        SHA-256 of the Python files in its folder, by their names from there; none of a shipped one.
    content : mapping of str to bytes
        Those files; empty if it stays on this machine, and for a shipped one.
    weights : bytes or None
    """

    contestant: Contestant
    digests: Mapping[str, str]
    content: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    weights: bytes | None = field(default=None, repr=False)

    def itself(self) -> Parcel:
        """For a worker: to hold it for those that ask for it."""
        return self


def pack(contestant: Contestant, content: bool = True) -> Parcel:
    """Make a parcel, with or without content.

    Raises
    ------
    AudeoBenchError
        There is too much Python beside the contestant's file.
    """
    if contestant.shipped:
        return Parcel(contestant, {}, {}, _weights(contestant) if content else None)
    if not content:
        return Parcel(contestant, {contestant.path.name: contestant.sha256})
    files, size = {}, 0
    for path in _neighbours(contestant.path.parent):
        files[path.relative_to(contestant.path.parent).as_posix()] = path.read_bytes()
        size += path.stat().st_size
        if size > LARGEST:
            raise AudeoBenchError(
                f"{contestant.path}: more than {LARGEST >> 20} MB of Python lie in its folder, too much to "
                "send; give it a folder of its own."
            )
    digests = {name: hashlib.sha256(text).hexdigest() for name, text in files.items()}
    return Parcel(contestant, digests, files, _weights(contestant))


def _weights(contestant: Contestant) -> bytes | None:
    return None if contestant.weights is None else contestant.weights.read_bytes()


def _neighbours(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _LEFT_OUT:
            continue
        if path.is_dir() and not path.is_symlink() and not (path / "pyvenv.cfg").exists():
            yield from _neighbours(path)
        elif path.suffix == ".py" and path.is_file():
            yield path


def unpack(parcel: Parcel) -> Contestant:
    """The same contestant with this machine's paths.

    Raises
    ------
    AudeoBenchError
        The parcel came without content, and the files here are others.
    """
    known = parcel.contestant
    if known.shipped or not parcel.digests:
        path = find(known.name).path
    else:
        path = known.path
        if not _same(path.parent, parcel.digests):
            path = _unpacked(parcel) / path.name
    return replace(known, path=path, weights=_placed_weights(parcel, path))


def _same(folder: Path, digests: Mapping[str, str]) -> bool:
    return all(_is(folder / name, digest) for name, digest in digests.items())


def _is(path: Path, digest: str | None) -> bool:
    return path.is_file() and sha256_of(path) == digest


def _unpacked(parcel: Parcel) -> Path:
    if not parcel.content:
        raise changed_meanwhile(parcel.contestant.path)
    digest = hashlib.sha256(repr(sorted(parcel.digests.items())).encode()).hexdigest()
    folder = cache_folder() / "contestants" / digest
    for name, text in parcel.content.items():
        if not _is(folder / name, parcel.digests[name]):
            with atomic_write(folder / name) as temporary:
                temporary.write_bytes(text)
    return folder


def _placed_weights(parcel: Parcel, path: Path) -> Path | None:
    known = parcel.contestant
    if known.weights is None:
        return None
    for place in (known.weights, weights_beside(path)):
        if _is(place, known.weights_sha256):
            return place
    if parcel.weights is None:
        raise changed_meanwhile(known.weights)
    place = cache_folder() / "contestants" / f"{known.weights_sha256}{known.weights.suffix}"
    if not _is(place, known.weights_sha256):
        with atomic_write(place) as temporary:
            temporary.write_bytes(parcel.weights)
    return place
