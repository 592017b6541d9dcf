"""Zip archives from outside: their table of contents is judged before anything in them is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["FAULTS", "open_archive"]

DIRECTORY = 2**20
"""Bytes at most of the table of contents, and of any other single reading."""

FAULTS = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    KeyError,
    RuntimeError,  # zipfile: encrypted, or another compression (NotImplementedError)
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged archive raises."""


class _Sips(io.FileIO):
    """Gives at most :data:`DIRECTORY` bytes at once: zipfile takes a table of any length whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = DIRECTORY + 1 if size is None or size < 0 else min(size, DIRECTORY + 1)
        found = super().read(wanted) or b""
        if len(found) > DIRECTORY:
            raise ValueError("its table of contents is too long")
        return found


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members are stored or deflated, not encrypted, and of different names.

    ``ZipInfo.file_size`` may be trusted as a limit: zipfile reads no more than that of a member.

    Raises
    ------
    one of FAULTS
        ValueError, with what was found, where a member is none of that.
    """
    with _Sips(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = {member.filename for member in members}
        if len(names) < len(members):
            raise ValueError("it holds two members of one name")
        for member in members:
            if member.flag_bits & 0x1:
                raise ValueError(f"{member.filename!r} in it is encrypted")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{member.filename!r} in it is compressed by method {member.compress_type}")
        yield archive
