"""What ``perform`` is asked to write."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Outputs:
    """What is written; None leaves it out.

    Attributes
    ----------
    film : Path or None
        The same film with the sound: ``.mp4``, ``.mov`` or ``.mkv``.
    midi, wav : Path or None
    overlay : Path or None
        The film with the answer drawn in, see :mod:`.overlay`.
    keyboard : Path or None
        A picture of the keyboard that was found.
    """

    film: Path | None = None
    midi: Path | None = None
    wav: Path | None = None
    overlay: Path | None = None
    keyboard: Path | None = None

    def __post_init__(self) -> None:
        """Notebooks may name files as text."""
        for field in fields(self):
            if isinstance(name := getattr(self, field.name), str):
                object.__setattr__(self, field.name, Path(name))


NOTHING = Outputs()
