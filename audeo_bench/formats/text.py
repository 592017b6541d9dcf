"""Text from outside: UTF-8 whatever the locale, JSON and CSV within limits, and names shown literally."""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
from pathlib import Path
from typing import Any

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file

__all__ = ["parse_json", "plain", "read_csv", "read_json", "read_text"]

LIMIT = 2**25
"""Bytes of a text file."""
DEPTH = 64
"""Lists and objects within each other."""
WHOLE = 2**63
"""Bound of whole numbers in JSON; greater ones fit no array and overflow a float at last."""


def plain(text: str) -> str:
    """A name or text from outside as one line that a terminal shows literally.

    What is not printable (control characters, escape sequences, marks that turn the direction of writing,
    parts of a file name that are no UTF-8) stands as its Python escape.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or unicodedata.category(sign) == "Zs" else _escape(sign) for sign in text
    )


def _escape(sign: str) -> str:
    return repr(sign)[1:-1]


def read_text(path: Path, *, remedy: str, limit: int = LIMIT) -> str:
    """A UTF-8 file, with or without a byte order mark, its line ends as they are.

    Raises
    ------
    AudeoBenchError
        Missing, no file, longer than ``limit`` bytes, or not UTF-8.
    """
    path = regular_file(path, remedy, limit)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise AudeoBenchError(f"{path}: not UTF-8 at byte {fault.start:,}; {remedy}.") from None
    except OSError as fault:
        raise AudeoBenchError(f"{path}: cannot be read ({fault.strerror}); {remedy}.") from None


def read_json(path: Path, *, remedy: str, limit: int = LIMIT) -> Any:
    """A JSON file's content; see :func:`parse_json`."""
    return parse_json(read_text(path, remedy=remedy, limit=limit), str(path), remedy=remedy)


def parse_json(text: str, name: str, *, remedy: str) -> Any:
    """Parse JSON of finite numbers, whole ones below 2**63, whole characters, at most 64 levels, and no name
    twice in an object.

    Raises
    ------
    AudeoBenchError
        It is none; the message begins with ``name``.
    """
    try:
        content = json.loads(
            text,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_finite,
            object_pairs_hook=_named_once,
        )
        _check_depth(content)
        if "\\u" in text:
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        reason = "nested too deeply"
    except UnicodeEncodeError:
        reason = "it holds half of a character"
    except ValueError as fault:
        reason = str(fault)
    else:
        return content
    raise AudeoBenchError(f"{name}: not the JSON that is expected ({reason}); {remedy}.")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return content


def _whole(digits: str) -> int:
    if len(digits) > 20 or not -WHOLE <= int(digits) < WHOLE:
        raise ValueError(f"the number {digits[:12]}... of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:12]}")
    return number


def _check_depth(content: Any) -> None:
    level = [content]
    for _ in range(DEPTH):
        level = [
            part
            for whole in level
            if isinstance(whole, list | dict)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def read_csv(path: Path, columns: tuple[str, ...], *, remedy: str) -> list[dict[str, str]]:
    """The rows of a CSV file with a header; a cell that a row lacks is empty.

    Raises
    ------
    AudeoBenchError
        Not UTF-8, one of ``columns`` is missing, a row has more cells than the header, a quote is open or a
        cell longer than 128 K.
    """
    reader = csv.DictReader(io.StringIO(read_text(path, remedy=remedy), newline=""), restval="", strict=True)
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or [])]
        if missing:
            raise AudeoBenchError(f"{path}: has no column {', '.join(missing)}; {remedy}.")
        rows = list(reader)
    except csv.Error as fault:
        raise AudeoBenchError(f"{path}, line {reader.line_num}: {fault}; {remedy}.") from None
    for line, row in enumerate(rows, 2):
        if None in row:
            raise AudeoBenchError(f"{path}, row {line}: more cells than the header has; {remedy}.")
    return rows
