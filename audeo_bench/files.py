"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audeo_bench.errors import AudeoBenchError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it replaces ``path``, on any failure it is removed.

    The temporary file keeps ``path``'s suffix, since writers such as numpy choose the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files, and so do some writers; results are meant to be read by others.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write does not say where
        raise
    finally:
        temporary.unlink(missing_ok=True)


def file_name(name: str) -> str:
    """A name from outside made safe as a file name: all but letters, digits and ``._+=@-`` becomes ``-``."""
    safe = re.sub(r"[^A-Za-z0-9._+=@-]+", "-", name).lstrip("._+=@-")[:120]
    if not safe:
        raise AudeoBenchError(f"{name!r}: no letter or digit in this name; give the contestant another.")
    return safe
