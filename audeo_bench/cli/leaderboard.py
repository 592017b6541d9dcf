"""``audeo-bench compare``, ``check``, ``join``, ``submit``, ``leaderboard`` and ``fidelity``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from audeo_bench.cli import options
from audeo_bench.cli.group import WholeSummaries

Boards = Annotated[
    Path | None, typer.Option(help="Folder of the boards. [default: leaderboards here, else the project's]")
]
TrainedOn = Annotated[
    list[str] | None,
    typer.Option(metavar="CORPUS/SPLIT", help="What the answers' model was trained on; repeatable."),
]

boards_app = typer.Typer(no_args_is_help=True, cls=WholeSummaries, help="Build, show and verify the boards.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: audeo-bench compare ./my_model.py --against leaderboard --split wtc2")(
        compare
    )
    app.command(epilog="Example: audeo-bench check ./my_model.py")(check)
    app.command(
        epilog="Example: audeo-bench join my_rolls/ --name mine --split wtc2 --trained-on simulated/wtc1"
    )(join)
    app.command(epilog="Example: audeo-bench submit runs/simulated-wtc2/my_model")(submit)
    app.command(epilog="Example: audeo-bench fidelity --format markdown > fidelity.md")(fidelity)
    app.add_typer(boards_app, name="leaderboard")


def compare(
    contestant: Annotated[
        str,
        typer.Argument(help="A system (name, ./my_model.py, chain), a run folder, or a folder of answers."),
    ],
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="leaderboard|RUN|NAME",
            help="Repeatable: every row of the board, a run folder, a row's name (roll2midi: every row "
            "that ends so), or a system that is run first. [default: leaderboard]",
        ),
    ] = None,
    split: options.Split = "wtc2",
    corpus: options.Corpus = "simulated",
    corpus_seed: options.CorpusSeed = 0,
    metric: Annotated[
        str | None,
        typer.Option(
            help="<average>.<keys>@<threshold>: average frame_mean or micro, keys 51 or 88. "
            "[default: the board's: frame_mean.51@0.4, or micro.88@0.4 for real films]"
        ),
    ] = None,
    weights: options.Weights = None,
    seed: options.Seed = 0,
    runs: options.Runs = Path("runs"),
    boards: Boards = None,
    form: options.Format = "table",
    as_json: options.Json = False,
) -> None:
    """Run a contestant, score it, and say how it stands against others, paired."""
    from audeo_bench.leaderboards.boards import boards_folder
    from audeo_bench.leaderboards.opponents import contest_systems
    from audeo_bench.report import comparison as report
    from audeo_bench.report.terminal import show
    from audeo_bench.runs.task import open_task
    from audeo_bench.score import Measure

    measure = Measure.parse(metric) if metric else None
    task = open_task(corpus, split, runs, seed=seed, corpus_seed=corpus_seed)
    chosen = against or ["leaderboard"]
    found = contest_systems(contestant, chosen, task, boards_folder(boards), measure, weights or ())
    if as_json or form == "json":
        typer.echo(report.as_json(found))
        return
    title = f"{found.name} against {len(found.comparisons)} on {corpus} {split} ({task.corpus.provenance})"
    show([report.comparisons(found, title), report.ranks(found)], form)


def check(
    contestant: Annotated[str, typer.Argument(metavar="PATH|NAME", help="Your file, such as ./my_model.py.")],
    weights: options.Weights = None,
    as_json: options.Json = False,
) -> None:
    """Contract tests over a contestant's file: loading, shapes, seeds, windows, peeking, memory."""
    import json
    from dataclasses import asdict

    from audeo_bench.contestants import check as contract
    from audeo_bench.report.comparison import finding
    from audeo_bench.report.terminal import stdout

    out, failed, findings = stdout(), 0, []
    for found in contract.check(contestant, weights or ()):
        failed += found.outcome == "fail"
        findings.append(asdict(found))
        if not as_json:
            out.print(finding(found))
    if as_json:
        typer.echo(json.dumps(findings, indent=1))
    if failed:
        raise typer.Exit(1)


def join(
    folder: Annotated[
        Path, typer.Argument(help="One .npz (88 x frames) or .mid file a recording, named by its id.")
    ],
    name: Annotated[str | None, typer.Option(help="The contestant's name. [default: the folder's]")] = None,
    split: options.Split = "wtc2",
    corpus: options.Corpus = "simulated",
    corpus_seed: options.CorpusSeed = 0,
    trained_on: TrainedOn = None,
    lag: Annotated[
        bool, typer.Option("--lag", help="Move all answers by the constant lag that is measured.")
    ] = False,
    pedal: Annotated[
        Literal["ignore", "hold"],
        typer.Option(
            help="MIDI files: notes end with their keys (ignore), or the sustain pedal lengthens them (hold)."
        ),
    ] = "ignore",
    runs: options.Runs = Path("runs"),
) -> None:
    """Join with answers only: turn a folder of rolls or MIDI files into a run folder."""
    from audeo_bench.leaderboards.leaks import check_training
    from audeo_bench.runs.joined_answers import RefusedAnswers, join_answers
    from audeo_bench.runs.task import open_task

    task = open_task(corpus, split, runs, corpus_seed=corpus_seed)
    for mark in check_training(trained_on or (), task.corpus, split, name or folder.name):
        typer.echo(f"mark       {mark}")
    try:
        joined = join_answers(folder, task, name, trained_on or (), lag, pedal)
    except RefusedAnswers as refused:
        for remark in refused.remarks:
            if not remark.fatal:  # the error itself names the others
                typer.echo(f"{remark.kind:<10} {remark.recording}: {remark.words}", err=True)
        raise
    for remark in joined.remarks:
        typer.echo(f"{remark.kind:<10} {remark.recording}: {remark.words}")
    if joined.lag:
        typer.echo(f"lag: all answers were moved {joined.lag:+d} frames")
    typer.echo(f"run: {joined.run}")


def submit(
    run: Annotated[Path, typer.Argument(help="A finished run folder, such as runs/simulated-wtc2/my_model.")],
    name: Annotated[str | None, typer.Option(help="The name on the board. [default: the system's]")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a row of that name.")] = False,
    audio: Annotated[
        bool, typer.Option("--audio", help="Render the excerpts with FluidSynth, for the page's players.")
    ] = False,
    authors: Annotated[str | None, typer.Option(help="Who made the model.")] = None,
    paper: Annotated[str | None, typer.Option(metavar="URL", help="Where it is described.")] = None,
    code: Annotated[str | None, typer.Option(metavar="URL", help="Where it is kept.")] = None,
    film: Annotated[
        bool, typer.Option("--film", help="Keep pictures of the excerpts, unless the films were recorded.")
    ] = False,
    boards: Boards = None,
) -> None:
    """Turn a run into a row of its board, scored again from the rolls."""
    from audeo_bench.leaderboards import audio as sound
    from audeo_bench.leaderboards.boards import boards_folder
    from audeo_bench.leaderboards.identification import RESULT, submit_identification
    from audeo_bench.leaderboards.rows import read_row
    from audeo_bench.leaderboards.submit import credit_of
    from audeo_bench.leaderboards.submit import submit as submit_run

    credit = credit_of(authors, paper, code)

    folder = boards_folder(boards, write=True)
    if (run / RESULT).is_file() and not (run / "run.json").is_file():
        typer.echo(f"result: {submit_identification(run, folder, replace)}")
        return
    path = submit_run(run, folder, name, replace, credit)
    typer.echo(f"row: {path}")
    if audio:
        for written in sound.render_row(read_row(path), folder):
            typer.echo(f"audio: {written}")
    if film:
        for written in sound.film_excerpts(read_row(path), folder):
            typer.echo(f"film: {written}")
    typer.echo("Next: audeo-bench leaderboard build")


def fidelity(boards: Boards = None, form: options.Format = "table", as_json: options.Json = False) -> None:
    """The paper's cells beside the boards' rows, and whether the systems come in the paper's order."""
    import json
    from dataclasses import asdict

    from audeo_bench.leaderboards.boards import boards_folder
    from audeo_bench.paper import fidelity as paper
    from audeo_bench.report import comparison as report
    from audeo_bench.report.terminal import show

    found = paper.fidelity(boards_folder(boards))
    if as_json or form == "json":
        typer.echo(json.dumps(asdict(found), indent=1))
    elif form == "markdown":
        typer.echo(report.fidelity_markdown(found), nl=False)
    else:
        show(report.fidelity_tables(found), form)


@boards_app.command()
def build(
    boards: Boards = None,
    check_only: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; fail if the committed boards are not a fresh build's."),
    ] = False,
) -> None:
    """Regenerate every board, README.md and index.html, from the rows."""
    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.leaderboards.boards import boards_folder
    from audeo_bench.report import boards as building

    folder = boards_folder(boards, write=not check_only)
    if not check_only:
        for path in building.build(folder):
            typer.echo(path)
    elif outdated := building.outdated(folder):
        raise AudeoBenchError(
            f"{folder}: {' and '.join(outdated)} differ from a fresh build; run `audeo-bench leaderboard "
            "build`."
        )


@boards_app.command()
def show(
    board: Annotated[
        str | None, typer.Argument(help="Such as simulated-wtc2; every board if left out.")
    ] = None,
    boards: Boards = None,
    form: options.Format = "table",
    as_json: options.Json = False,
) -> None:
    """Print boards in the terminal."""
    from audeo_bench.leaderboards.boards import boards_folder
    from audeo_bench.report.boards import as_json as boards_json
    from audeo_bench.report.boards import sheets
    from audeo_bench.report.terminal import show as print_tables

    folder = boards_folder(boards)
    if as_json or form == "json":
        typer.echo(boards_json(folder, board))
    else:
        print_tables(sheets(folder, board), form)


@boards_app.command()
def excerpts(
    board: Annotated[
        str | None, typer.Argument(help="Such as simulated-wtc2; every board if left out.")
    ] = None,
    recordings: Annotated[int, typer.Option(min=1, help="Of each board; the page embeds them all.")] = 1,
    boards: Boards = None,
) -> None:
    """Keep sound and film of each board's first recordings for the page, from the rows that are there."""
    from audeo_bench.leaderboards.audio import keep_excerpts
    from audeo_bench.leaderboards.boards import boards_folder

    for written in keep_excerpts(boards_folder(boards, write=True), board, recordings):
        typer.echo(f"excerpt: {written}")
    typer.echo("Next: audeo-bench leaderboard build")


@boards_app.command()
def badge(
    row: Annotated[Path, typer.Argument(help="A row's file, such as leaderboards/simulated-wtc2/mine.json.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture.")] = Path("badge.svg"),
) -> None:
    """Draw a row's place as a badge that a README can show."""
    from audeo_bench.report.boards import write_badge

    typer.echo(f"badge: {write_badge(row, output)}")


@boards_app.command()
def verify(
    boards: Boards = None,
    runs: options.Runs = Path("runs"),
    workers: options.Workers = None,
    scheduler: options.Scheduler = None,
) -> None:
    """Recompute rows from stored rolls where they are, and mark each row verified or reported."""
    from audeo_bench.leaderboards.boards import boards_folder
    from audeo_bench.leaderboards.verify import verify as verify_rows

    found = verify_rows(boards_folder(boards, write=True), runs, workers, scheduler)
    for row in found:
        typer.echo(f"{row.state:<9} {row.board}/{row.contestant}: {row.words}")
    if any(row.state == "wrong" for row in found):
        raise typer.Exit(1)


@boards_app.command()
def rerun(
    row: Annotated[
        list[Path] | None, typer.Argument(help="Rows' files, such as leaderboards/simulated-wtc2/mine.json.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="COMMIT", help="Instead of names: the rows that changed since.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who runs them, for the mark.")] = "hand",
    root: Annotated[Path, typer.Option(help="The checkout with the contestants' files.")] = Path(),
    boards: Boards = None,
) -> None:
    """Let rows' own contestants answer again, and mark the rows that come out the same."""
    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.leaderboards import rerun as running
    from audeo_bench.leaderboards.boards import boards_folder

    if bool(row) == (since is not None):
        raise AudeoBenchError("leaderboard rerun: name rows, or give --since COMMIT.")
    folder = boards_folder(boards, write=True)
    wrong = False
    for found in running.rerun(row or running.changed_rows(folder, str(since)), folder, root, by):
        typer.echo(f"{found.state:<9} {found.board}/{found.contestant}: {found.words}")
        wrong |= found.state == "wrong"
    if wrong:
        raise typer.Exit(1)
