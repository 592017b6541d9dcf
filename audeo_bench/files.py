"""Writing files so that a reader never meets half of one, nor two processes each other's."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from audeo_bench.errors import AudeoBenchError

LONGEST_NAME = 120
_HOST = re.sub(r"[^A-Za-z0-9]+", "", socket.gethostname())[:20]
_TEMPORARY = re.compile(rf"\.audeo-bench-{_HOST}-(\d+)-")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """:func:`atomic_writes` of one file."""
    with atomic_writes(path) as (temporary,):
        yield temporary


@contextmanager
def atomic_writes(*paths: Path) -> Iterator[list[Path]]:
    """Yield a temporary path beside each of ``paths``; on success they replace these together, on any failure
    they are removed and nothing is replaced.

    A temporary file keeps the suffix, since writers such as numpy choose the format by it. What a killed
    process left in the folder is removed by the next one that writes there.
    """
    temporaries = []
    try:
        for path in paths:
            if path.exists() and not path.is_file():
                found = "a folder" if path.is_dir() else "no regular file"
                raise AudeoBenchError(f"{path}: is {found} and is not replaced; give another path.")
            path.parent.mkdir(parents=True, exist_ok=True)
            _sweep(path.parent)
            prefix = f".audeo-bench-{_HOST}-{os.getpid()}-"
            handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
            os.close(handle)
            temporaries.append(Path(name))
        yield temporaries
        # mkstemp makes private files, and so do some writers; results are meant to be read by others.
        umask = os.umask(0)
        os.umask(umask)
        for temporary in temporaries:
            temporary.chmod(0o666 & ~umask)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        for temporary, path in zip(temporaries, paths, strict=True):
            temporary.replace(path)
    except OSError as error:
        # A failed write does not say where, or names a file that nobody knows.
        if error.filename is None or _TEMPORARY.match(Path(str(error.filename)).name):
            error.filename = str(paths[0])
        raise
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A folder below ``parent`` that is removed afterwards, or by the next process if this one is killed."""
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    with tempfile.TemporaryDirectory(prefix=f".audeo-bench-{_HOST}-{os.getpid()}-", dir=parent) as folder:
        yield Path(folder)


@cache
def _sweep(folder: Path) -> None:
    """Remove what processes of this machine that are no more left behind."""
    for path in folder.glob(f".audeo-bench-{_HOST}-*"):
        found = _TEMPORARY.match(path.name)
        if found and not _lives(int(found[1])):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextmanager
def locked(folder: Path, seconds: float = 30) -> Iterator[None]:
    """Hold a folder against other processes that write there.

    Whoever comes second says on stderr for whom it waits.

    Parameters
    ----------
    folder : Path
    seconds : float
        How long to wait; -1 for ever.

    Raises
    ------
    AudeoBenchError
        Another process holds it for longer than that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / ".lock"), folder / ".lock-holder"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        other = "another audeo-bench"
        with suppress(OSError, UnicodeDecodeError):
            other = holder.read_text(encoding="utf-8").strip() or other
        print(f"audeo-bench: {folder}: waiting for {other}", file=sys.stderr)
        try:
            lock.acquire(timeout=seconds)
        except Timeout as fault:
            raise AudeoBenchError(
                f"{folder}: {other} has been writing here for {seconds:g} seconds; wait for it, or end it."
            ) from fault
    try:
        try:
            holder.write_text(f"process {os.getpid()} ({' '.join(sys.argv)[:200]})\n", encoding="utf-8")
        except OSError as fault:  # a failed write does not say where
            fault.filename = fault.filename or str(holder)
            raise
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def file_name(name: str) -> str:
    """:func:`safe_name` of a name that has a letter or digit of any script.

    Raises
    ------
    AudeoBenchError
        It has none.
    """
    if not any(map(str.isalnum, name)):
        raise AudeoBenchError(f"{name!r}: no letter or digit in this name; give the contestant another.")
    return safe_name(name)


def safe_name(name: str, but: str = "") -> str:
    """A name from outside made safe as a file name, and unlike any other name's.

    All but Latin letters, digits and ``._+=@-`` becomes ``-``, and so does what stands in ``but``; a name
    that this changes gets a digest of itself behind.
    """
    allowed = "".join(re.escape(sign) for sign in "._+=@-" if sign not in but)
    safe = re.sub(f"[^A-Za-z0-9{allowed}]+", "-", name).lstrip("._+=@-")
    if safe == name and len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:6]
    return f"{safe[: LONGEST_NAME - 7].rstrip('._+=@-') or 'contestant'}-{digest}"


def sha256_of(path: Path) -> str:
    """The digest of a file of any size, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
