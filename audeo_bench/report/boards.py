"""The generated boards, ``README.md`` and ``index.html``, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from audeo_bench.corpus import check_choice
from audeo_bench.files import atomic_write, atomic_writes
from audeo_bench.leaderboards.boards import Board, held, read_boards
from audeo_bench.leaderboards.identification import read_identifications
from audeo_bench.leaderboards.rows import read_row
from audeo_bench.paper.reported import reported
from audeo_bench.provenance import machine
from audeo_bench.report.html import render_page
from audeo_bench.report.markdown import (
    COST_NOTE,
    TIES_NOTE,
    amount,
    environment,
    letters,
    over_seeds,
    render_boards,
    training,
)
from audeo_bench.report.numbers import percent
from audeo_bench.report.sheet import Sheet
from audeo_bench.report.terminal import table
from audeo_bench.score.notes import SHOWN_NOTES

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


def sheets(folder: Path, board: str | None = None) -> list[Sheet]:
    """Boards as tables, one of them where it is named.

    Raises
    ------
    AudeoBenchError
        No such board, or a row that cannot be read.
    """
    found = read_boards(folder)
    if board is not None:
        check_choice("board", board, [each.name for each in found], str(folder))
    return [_sheet(each) for each in found if board in (None, each.name)]


def as_json(folder: Path, board: str | None = None) -> str:
    """The same as JSON: one object a row, by the tables' headings."""
    tables = {sheet.title: sheet for sheet in sheets(folder, board)}
    content = {
        title: [dict(zip(sheet.headings, map(str, line.cells), strict=True)) for line in sheet.lines]
        for title, sheet in tables.items()
    }
    return json.dumps(content, indent=1)


def _sheet(board: Board) -> Sheet:
    headings = (
        *("rank", "contestant", "F1", "95 % interval", "trained on", "ties", "over seeds"),
        *("Precision", "Recall", str(board.beside), *SHOWN_NOTES),
        *("Parameters", "s/min of film", "Hardware", "Training", "Checked"),
    )
    caption = f"F1 %, {board.measure}. {board.reading()} {TIES_NOTE}\n{COST_NOTE}"
    made = table(
        f"{board.name} ({board.subject.provenance}{board.subject.particulars})", *headings, caption=caption
    )
    for entry in board.entries:
        found = entry.numbers(board.measure)
        made.add_row(
            f"{entry.rank}{'=' if entry.shared else ''}",
            entry.name,
            percent(found.values["f1"]),
            f"{percent(found.low)} to {percent(found.high)}",
            entry.trained_on,
            letters(entry.ties),
            over_seeds(found),
            percent(found.values["precision"]),
            percent(found.values["recall"]),
            percent(entry.numbers(board.beside).values["f1"]),
            *(percent(entry.note_f1(name, board.measure.threshold)) for name in SHOWN_NOTES),
            amount(entry.rows[0].parameters),
            percent(entry.rows[0].seconds_a_minute),
            machine(entry.rows[0].origin.hardware) or "–",
            training(entry.rows[0]),
            "verified" if all(entry.verified) else "only reported",
        )
    return made


def write_badge(path: Path, output: Path) -> Path:
    """Draw a row's board, F1 and rank as an SVG picture.

    Raises
    ------
    AudeoBenchError
        No such row, or other rows of its board that cannot be read.
    """
    row = read_row(path)
    (board,) = [each for each in read_boards(path.parents[1]) if each.name == row.board]
    (entry,) = [each for each in board.entries if row.contestant in {one.contestant for one in each.rows}]
    f1 = entry.numbers(board.measure).values["f1"]
    left = f"audeo-bench {board.name}"
    right = f"F1 {percent(f1)} % · rank {entry.rank} of {len(board.entries)}"
    page = environment(html=True).get_template("badge.svg.jinja")
    with atomic_write(output) as temporary:
        temporary.write_text(page.render(left=left, right=right), encoding="utf-8")
    return output


def outdated(folder: Path) -> list[str]:
    """The generated files that are not what a fresh build would write."""
    texts = render(folder)
    return [
        name
        for name, text in texts.items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode()
    ]
