"""What is said on stderr while work goes on: one look for every progress bar and remark."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from audeo_bench.formats.text import plain


@dataclass(frozen=True)
class Bar:
    """A running progress bar."""

    progress: Progress
    task: TaskID

    def advance(self, count: float = 1, note: str | None = None) -> None:
        """Move on by ``count`` and, where given, replace the note at the line's end."""
        self.progress.update(self.task, advance=count)
        if note is not None:
            self.progress.update(self.task, note=note)


@contextmanager
def progress_bar(title: str, total: float, unit: str = "") -> Iterator[Bar]:
    """A bar on stderr, so that stdout stays clean for tables and JSON; silent where stderr is no terminal."""
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
        yield Bar(progress, progress.add_task(title, total=total, note=""))


def tell(path: Path, remarks: Iterable[str]) -> None:
    """Say what a reader remarked about a file, a line each."""
    for remark in remarks:
        print(plain(f"audeo-bench: note: {path}: {remark}."), file=sys.stderr)
