"""The generated boards, ``README.md`` and ``index.html``, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from audeo_bench.files import atomic_writes
from audeo_bench.leaderboards.boards import held, read_boards
from audeo_bench.leaderboards.identification import read_identifications
from audeo_bench.paper.reported import reported
from audeo_bench.report.html import render_page
from audeo_bench.report.markdown import render_boards

MARKDOWN, PAGE = "README.md", "index.html"


def build(folder: Path) -> tuple[Path, Path]:
    """Write the Markdown boards and the page from the rows below ``folder``; returns the two files.

    Raises
    ------
    AudeoBenchError
        See :func:`audeo_bench.leaderboards.boards.read_boards`; a folder that cannot be written. The old
        boards then stay as they were.
    """
    with held(folder):
        contents = render(folder)
        with atomic_writes(*(folder / name for name in contents)) as temporaries:
            for temporary, text in zip(temporaries, contents.values(), strict=True):
                temporary.write_text(text, encoding="utf-8")
    return folder / MARKDOWN, folder / PAGE


def render(folder: Path) -> dict[str, str]:
    """The generated files' names and texts, a function of the rows (and the paper's cells) alone."""
    boards, found, paper = read_boards(folder), read_identifications(folder), reported()
    return {
        MARKDOWN: render_boards(boards, found, paper),
        PAGE: render_page(boards, found, paper, folder),
    }


def outdated(folder: Path) -> list[str]:
    """The generated files that are not what a fresh build would write."""
    texts = render(folder)
    return [
        name
        for name, text in texts.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode()
    ]
