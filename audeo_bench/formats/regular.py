"""What every reader asks first: is this a file at all, and is it small enough to be read?"""

from __future__ import annotations

import stat
from pathlib import Path

from audeo_bench.errors import AudeoBenchError

__all__ = ["regular_file"]


def regular_file(path: Path, remedy: str, limit: int | None = None) -> Path:
    """The path again, if it is a file: opening a pipe waits for ever, reading a device never ends.

    Parameters
    ----------
    path : Path
        Links are followed.
    remedy : str
        What the user can do, as the end of a sentence: ``give a .npz file``.
    limit : int or None
        Bytes that the file may have.

    Raises
    ------
    AudeoBenchError
        Missing, a folder, a pipe, a device, or longer than ``limit``.
    """
    path = Path(path)
    try:
        found = path.stat()
    except FileNotFoundError:
        raise AudeoBenchError(f"{path}: missing, no such file; {remedy}.") from None
    except (OSError, ValueError) as fault:  # ValueError: a name that holds a zero byte
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise AudeoBenchError(f"{path}: cannot be read ({reason}); {remedy}.") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, socket or device"
        raise AudeoBenchError(f"{path}: is {kind}, no file; {remedy}.")
    if limit is not None and found.st_size > limit:
        raise AudeoBenchError(f"{path}: {found.st_size:,} bytes, more than {limit:,} are not read; {remedy}.")
    return path
