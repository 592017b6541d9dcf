"""A model that lives in another environment: a command that reads frames or a film and writes a roll or MIDI.

>>> class Mine(Elsewhere):
...     name = "mine"
...     command = "conda run -n other python transcribe.py {film} {answer}.mid"
"""

from __future__ import annotations

import inspect
import shlex
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import numpy as np

from audeo_bench.api import AudeoBenchError, Frames, VideoToRoll, windows
from audeo_bench.film.writing import write_video
from audeo_bench.formats.midi import read_midi
from audeo_bench.formats.npz import read_array
from audeo_bench.roll import notes_to_roll

__all__ = ["Elsewhere"]

_PLACES = ("film", "frames", "answer", "weights")
_SHOWN = 300
"""Characters of what a failed command said last."""


class Elsewhere(VideoToRoll):
    """Derive from it and set ``command``.

    Attributes
    ----------
    command : str
        Is run once a recording, without a shell, in the folder of the subclass's file. ``{film}`` is a silent
        MP4 of the keyboard, ``{frames}`` the same frames as ``.npy`` (uint8, (T, 100, 900)), ``{answer}`` the
        path, without suffix, of what it must write: ``{answer}.npz`` with one array (88, T) of probabilities,
        or ``{answer}.mid``. ``{weights}`` is what ``load`` was given.
    weights : Path or None
        A subclass that takes weights defines ``load`` and keeps their path here.
    reads : sequence of str
        Files in its folder on which the answers depend; those that the command names need not be listed.
    """

    command: ClassVar[str] = ""
    weights: Path | None = None

    def __init_subclass__(cls) -> None:
        """Files in its folder that the command names are part of what answers."""
        with suppress(ValueError, TypeError, OSError):  # no file; what is wrong is said when it is run
            home = Path(inspect.getfile(cls)).resolve().parent
            named = [word for word in shlex.split(cls.command) if not Path(word).is_absolute()]
            cls.reads = (*cls.reads, *(word for word in named if (home / word).is_file()))

    def roll(self, frames: Frames) -> np.ndarray:
        """One run of the command.

        Raises
        ------
        AudeoBenchError
            A command with unknown places or without an answer, that cannot be started, fails, or leaves no
            answer, or one that cannot be read.
        """
        with tempfile.TemporaryDirectory(prefix="audeo-bench-") as folder:
            places = {name: Path(folder) / name for name in ("answer", "film.mp4", "frames.npy")}
            self._run(frames, places["answer"], places["film.mp4"], places["frames.npy"])
            return self._read(places["answer"], len(frames))

    def _run(self, frames: Frames, answer: Path, film: Path, exact: Path) -> None:
        words = {"film": film, "frames": exact, "answer": answer, "weights": self.weights}
        try:
            arguments = [word.format_map(words) for word in shlex.split(self.command)]
        except (KeyError, ValueError, IndexError) as fault:
            known = ", ".join(f"{{{name}}}" for name in _PLACES)
            raise AudeoBenchError(
                f"{self.name}: command {self.command!r} cannot be filled in ({fault}); it may hold {known}."
            ) from fault
        if "{answer}" not in self.command:
            raise AudeoBenchError(
                f"{self.name}: command {self.command!r} does not say where its answer goes; add "
                "{answer}.npz or {answer}.mid."
            )
        if "{weights}" in self.command and self.weights is None:
            raise AudeoBenchError(
                f"{self.name}: command {self.command!r} wants weights; define load(self, weights) that keeps "
                "their path as self.weights."
            )
        if "{film}" in self.command:
            write_video(film, frames)
        if "{frames}" in self.command:
            kept = np.lib.format.open_memmap(exact, "w+", np.uint8, frames.shape)
            for start, window in windows(frames):
                kept[start : start + len(window)] = window
            kept.flush()
        home = Path(inspect.getfile(type(self))).parent
        try:
            done = subprocess.run(arguments, cwd=home, capture_output=True, text=True, errors="replace")
        except OSError as fault:
            raise AudeoBenchError(f"{self.name}: {arguments[0]} cannot be started: {fault}.") from fault
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())[-_SHOWN:] or "nothing"
            raise AudeoBenchError(
                f"{self.name}: the command ended with exit status {done.returncode}; it last said: {said}"
            )

    def _read(self, answer: Path, frames: int) -> np.ndarray:
        found = [path for suffix in (".npz", ".mid") if (path := answer.with_suffix(suffix)).is_file()]
        if not found:
            raise AudeoBenchError(f"{self.name}: the command wrote neither answer.npz nor answer.mid.")
        if found[0].suffix == ".npz":
            return read_array(found[0], ["roll"], remedy="let the command write one array (88, T)")
        return notes_to_roll(read_midi(found[0]).notes, frames).astype(np.float32)
