"""Whether a fetched file is the film that the set's file means."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.labels import read_labels
from audeo_bench.errors import AudeoBenchError
from audeo_bench.film.decoding import Decoder

__all__ = ["Refused", "check_film", "film_seconds", "last_note", "too_short"]

CUT_S = 1.5
"""A film that ends so much before the end that it announces was cut off; containers are not exact."""
PAGE = (b"<!doctype", b"<html", b"<?xml", b"{")
"""What a page, or a server's answer in JSON, begins with."""


class Refused(Exception):
    """One film cannot be had or is not what it should be: what was found and what to do, in one line."""


def check_film(
    path: Path, film: Film, last: float | None, going: Callable[[], object] = lambda: None
) -> float:
    """Decode a film to its end and hold its length against the set's file and the labels.

    Parameters
    ----------
    path : Path
    film : Film
    last : float or None
        Film time of the labels' last onset, where it is known.
    going : callable
        Called on the way; what it raises ends the check.

    Returns
    -------
    seconds : float

    Raises
    ------
    Refused
    """
    seconds = film_seconds(path, going)
    if film.seconds is not None and abs(seconds - film.seconds) > film.slack_s:
        raise Refused(
            f"wrong film: {seconds:.1f} s, the set's file says {film.seconds:.1f} s; it is another cut, get "
            "the right one or correct `seconds`"
        )
    if last is not None and too_short(seconds, film, last):
        raise Refused(
            f"wrong film: {seconds:.1f} s, but its labels go on to {last:.1f} s; get the film of these "
            "labels, or correct its start_s"
        )
    return seconds


def too_short(seconds: float, film: Film, last: float) -> bool:
    """Whether a film of that length ends before the last onset of its labels."""
    return seconds < last - film.slack_s


def last_note(labels: Path, film: Film) -> float | None:
    """Film time of the last onset; where nobody knows the film's start, the least that it can be.

    Returns
    -------
    seconds : float or None
        None where the labels are rolls, or hold no note.

    Raises
    ------
    Refused
        They cannot be read.
    """
    if _head(labels).startswith(PAGE):
        raise Refused(f"labels: {labels}: a web page came instead; check the address, or what the page says")
    try:
        notes = read_labels(labels)
    except AudeoBenchError as fault:
        raise Refused(f"labels: {fault}".rstrip(".")) from None
    if not len(notes) or labels.suffix.lower() == ".npz":
        return None
    onsets = notes.intervals[:, 0]
    if film.start_s is None:
        return float(film.rate * (onsets.max() - onsets.min()))
    return float(film.start_s + film.rate * onsets.max())


def film_seconds(path: Path, going: Callable[[], object] = lambda: None) -> float:
    """How long a film's pictures last, by decoding them all.

    Raises
    ------
    Refused
        It is no film, has no pictures, or ends before the end that it announces.
    """
    head = _head(path)
    if head.startswith((b"#extm3u", b"ffconcat", b"[playlist]")):
        raise Refused("a playlist came instead of the film; give the address of the film itself")
    if head.startswith(PAGE):
        raise Refused("a web page came instead of the film; check the address, or what the page says")
    remarks: list[str] = []
    try:
        decoder = Decoder(path, say=remarks.append)
        try:
            return _decoded(decoder, remarks, going)
        finally:
            decoder.close()
    except AudeoBenchError as fault:
        found = str(fault).removeprefix(f"{path}: ").rstrip(".")
        raise Refused(found if "; " in found else f"{found}; fetch or copy it again") from None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512).lstrip().lower()


def _decoded(decoder: Decoder, remarks: list[str], going: Callable[[], object]) -> float:
    line, stream, container = decoder.timeline, decoder.stream, decoder.container
    announced = float((stream.duration or 0) * (stream.time_base or 0))
    if not announced and not container.streams.audio:
        announced = (container.duration or 0) / 1e6
    for half in range(math.ceil(2 * line.end)):
        going()
        decoder.at(half / 2)  # in steps so short that it decodes every picture instead of seeking
    last = decoder.at(line.end)
    end = line.end
    if not line.counted and last.pts is not None:
        end = (last.pts - line.origin) * line.base + line.step
    if max(announced, line.end) - end > max(CUT_S, 0.005 * announced):
        why = f" ({remarks[0]})" if remarks else ""
        raise Refused(
            f"cut off: {end:.1f} of {max(announced, line.end):.1f} s can be read{why}; fetch it again"
        )
    return line.end
