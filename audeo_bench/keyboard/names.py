"""Keys by their names: key 39 is C4, MIDI 60."""

from __future__ import annotations

from audeo_bench.errors import AudeoBenchError
from audeo_bench.roll import KEYS, LOWEST_PITCH


def key_name(key: int) -> str:
    """Scientific name of key index 0..87, such as ``A0`` or ``C#4``."""
    # Imported here, as it takes longer than most commands do to answer.
    from audeo_bench.formats.pretty import pretty_midi

    return pretty_midi.note_number_to_name(key + LOWEST_PITCH)


def key_of(text: str, option: str = "--key") -> int:
    """The key index 0..87 of a note name such as C4 or F#3, or of a MIDI number.

    Raises
    ------
    AudeoBenchError
        It is neither, or lies off the keyboard; names the option that it was given to.
    """
    from audeo_bench.formats.pretty import pretty_midi

    try:
        pitch = int(text) if text.isdecimal() else int(pretty_midi.note_name_to_number(text))
    except ValueError:
        raise AudeoBenchError(
            f"{option} {text or repr(text)}: give a note such as C4 or F#3, or a MIDI number."
        ) from None
    if not LOWEST_PITCH <= pitch < LOWEST_PITCH + KEYS:
        raise AudeoBenchError(f"{option} {text}: is MIDI {pitch}; a piano has 21 (A0) to 108 (C8).")
    return pitch - LOWEST_PITCH
