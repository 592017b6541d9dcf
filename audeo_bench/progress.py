"""What is said on stderr while work goes on: one look for every progress bar and remark."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from audeo_bench.formats.text import plain

LINE_EVERY = 60.0
"""Seconds between two lines where stderr is no terminal and so has no bar."""


@dataclass
class Bar:
    """A running progress bar."""

    progress: Progress
    task: TaskID
    unit: str = ""
    spoken: float = field(default_factory=monotonic)

    def advance(self, count: float = 1, note: str | None = None) -> None:
        """Move on by ``count`` and, where given, replace the note at the line's end."""
        self.progress.update(self.task, advance=count)
        if note is not None:
            self.progress.update(self.task, note=note)
        if self.progress.disable and monotonic() - self.spoken >= LINE_EVERY:
            self.spoken = monotonic()
            one = self.progress.tasks[self.task]
            seconds = one.time_remaining
            left = "" if seconds is None else f", about {max(1, round(seconds / 60))} min left"
            done = f"{int(one.completed)} of {one.total:.0f}"
            print(f"{one.description}: {done} {self.unit}{left}", file=sys.stderr)


@contextmanager
def progress_bar(title: str, total: float, unit: str = "") -> Iterator[Bar]:
    """A bar on stderr, so that stdout stays clean for tables and JSON; a line a minute where stderr is no
    terminal.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(progress, progress.add_task(title, total=total, note=""), unit)


def tell(path: Path, remarks: Iterable[str]) -> None:
    """Say what a reader remarked about a file, a line each."""
    for remark in remarks:
        print(plain(f"audeo-bench: note: {path}: {remark}."), file=sys.stderr)
