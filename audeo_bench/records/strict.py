"""A record: what every one of them refuses, and how each is read and written."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.formats.text import parse_json, read_text

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s\"'<>]+$", max_length=500)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+=@-]{0,119}$")]
"""Safe as a file name on every system: letters, digits and ``. _ + = @ -``."""


def _date(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no date and time of ISO 8601") from None
    return text


def _measured(seconds: float) -> float:
    if seconds and not 1e-6 <= seconds <= 1e9:
        raise ValueError("no duration that a clock measures")
    return seconds


Moment = Annotated[str, AfterValidator(_date)]
"""When something happened, such as ``2026-11-21T12:00:00+00:00``."""
Seconds = Annotated[float, AfterValidator(_measured)]
"""How long something took: 0, or from a microsecond, in which it is kept, to 30 years."""


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


Number = BeforeValidator(_no_bool)
"""Beside a Literal of numbers, which would take true for 1."""


class Strict(BaseModel):
    """Unknown fields, coerced types, NaN and infinity are all refused; an instance never changes.

    A record that is a file of its own has a ``schema_number``, which rises with what an older reader would
    misunderstand.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @classmethod
    def of_today(cls, content: Any) -> Any:
        """JSON content of an older schema in today's, where nothing is lost by it."""
        return content


Record = TypeVar("Record", bound=Strict)


def as_text(content: Strict) -> str:
    """JSON with sorted keys, indented, a list of numbers on one line, so that a change reads as a diff.

    The same content gives the same bytes, and floats read back exactly. Halves of characters, such as names
    of files that are no UTF-8 have, stand as their Python escapes.
    """
    plain = content.model_dump(mode="json", by_alias=True)
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False)
    text = re.sub("[\ud800-\udfff]", lambda found: rf"\\u{ord(found[0]):04x}", text)
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
    numbered = "schema_number" in kind.model_fields
    if numbered and isinstance(content, dict) and not {"schema", "schema_version"} & set(content):
        raise AudeoBenchError(f"{path}: schema: Field required; {remedy}.")
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
    known = kind.model_fields.get("schema_number")
    if known is None or not isinstance(content, dict):
        return
    number = content.get("schema", content.get("schema_version"))
    if type(number) is int and number != known.default:
        age, todo = ("an older", remedy) if number < known.default else ("a newer", "update audeo-bench")
        raise AudeoBenchError(
            f"{path}: schema {number}, from {age} audeo-bench; this one reads {known.default}: {todo}."
        )
