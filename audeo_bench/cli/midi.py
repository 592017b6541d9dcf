"""``audeo-bench midi``: Table 1. ``audeo-bench score``: rolls that are there already."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from audeo_bench.corpus import Corpus
    from audeo_bench.paper.table1 import Result


# The same words as in audeo_bench.score.frames, whose import `--help` has no time for.
Average = Literal["frame_mean", "micro"]
KeyRange = Literal["51", "88"]

Thresholds = Annotated[
    str | None, typer.Option(help="One or more, such as 0.3,0.4,0.5; a key is on from its threshold upwards.")
]
AverageChoice = Annotated[Average, typer.Option(help="frame_mean as the paper; micro as mir_eval.")]
KeysChoice = Annotated[KeyRange, typer.Option(help="The paper's 51 keys, or all 88.")]
PerRecording = Annotated[bool, typer.Option("--per-recording", help="Each recording's values too.")]
NotesTable = Annotated[bool, typer.Option("--notes", help="Onset and note metrics too.")]
CausesTable = Annotated[bool, typer.Option("--causes", help="F1 by polyphony and by register too.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def register(app: typer.Typer) -> None:
    """Add ``midi`` and ``score``."""
    app.command(epilog="Example: audeo-bench midi --contestant ./my_model.py --contestant keywise --limit 1")(
        midi
    )
    app.command(epilog="Example: audeo-bench score runs/simulated-wtc2/keywise --thresholds 0.3,0.4,0.5")(
        score
    )


def midi(
    split: Annotated[str, typer.Option(help="Which recordings.")] = "wtc2",
    corpus: Annotated[str, typer.Option(help="simulated, or one of `audeo-bench data list`.")] = "simulated",
    contestant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|PATH",
            help="A system: a built-in name, a file such as ./my_model.py, or a chain such as "
            "./my_model.py+roll2midi. Repeatable; every shipped system if left out.",
        ),
    ] = None,
    thresholds: Thresholds = None,
    weights: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]PATH", help="Trained weights; repeatable.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many recordings: a quick look, for no board.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where run folders go.")] = Path("runs"),
    seed: Annotated[int, typer.Option(help="For contestants that draw random numbers.")] = 0,
    corpus_seed: Annotated[int, typer.Option(help="Another seed gives another simulated corpus.")] = 0,
    average: AverageChoice = "frame_mean",
    keys: KeysChoice = "51",
    per_recording: PerRecording = False,
    notes: NotesTable = False,
    causes: CausesTable = False,
    figure: Annotated[
        bool, typer.Option(help="Draw predicted rolls above the truth, as the paper's Fig. 5.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Table 1: let systems turn video into piano rolls, and score them frame by frame.

    Answers are kept in run folders; the same command continues a run that was stopped.
    """
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.contestants import loading as contestants
    from audeo_bench.contestants.roster import roster
    from audeo_bench.corpus import open_corpus
    from audeo_bench.paper import table1
    from audeo_bench.runs import released_answers as authors

    chosen = _thresholds(thresholds)
    opened = open_corpus(corpus, seed=corpus_seed)
    opened.ids(split)  # an unknown split is refused before any model is loaded
    command = ["audeo-bench", *sys.argv[1:]]
    results = authors.stored_results(opened, split, runs, thresholds=chosen, limit=limit, command=command)
    if contestant:
        systems = contestants.systems(contestant, weights or ())
    else:
        # Where the authors' own answers are at hand, models are run when they are asked for.
        systems = [] if results else contestants.ready_systems(roster().midi, weights or ())
    if not systems and not results:
        raise AudeoBenchError(
            "midi: no contestant has trained weights here; train one with `audeo-bench train keywise`, "
            "or name your own with --contestant ./my_model.py."
        )
    if systems:
        results += table1.evaluate(
            systems, opened, split, runs, thresholds=chosen, limit=limit, seed=seed, command=command
        )
    figures = _figures(results, opened) if figure else []
    if as_json:
        _print_json(results, chosen, average, keys, figures)
    else:
        _print_tables(results, chosen, average, keys, per_recording, notes, causes)
        for line in authors.coverage(results, opened):
            typer.echo(line)
        for path in figures:
            typer.echo(f"figure: {path}")
        typer.echo(f"runs:   {results[0].folder.parent}")


def score(
    path: Annotated[
        Path,
        typer.Argument(help="A run folder, or an .npz file with the arrays `labels` and `probabilities`."),
    ],
    thresholds: Thresholds = None,
    average: AverageChoice = "frame_mean",
    keys: KeysChoice = "51",
    per_recording: PerRecording = False,
    notes: NotesTable = False,
    causes: CausesTable = False,
    as_json: Json = False,
) -> None:
    """Score rolls that are there already; no model runs.

    For an .npz file, (frames, 88) or (88, frames), both averages and both key ranges are printed.
    """
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.paper.table1 import Result
    from audeo_bench.report import terminal
    from audeo_bench.runs.folder import read_record
    from audeo_bench.runs.predict import score_run
    from audeo_bench.score import THRESHOLDS, score_file

    chosen = _thresholds(thresholds)
    if path.is_dir():
        scored = sorted({*THRESHOLDS, *(chosen or ())})
        results = [Result(path, read_record(path), score_run(path, scored))]
        if as_json:
            _print_json(results, chosen, average, keys, [])
        else:
            _print_tables(results, chosen, average, keys, per_recording, notes, causes)
    elif path.is_file():
        table = score_file(path, chosen or THRESHOLDS)
        if as_json:
            typer.echo(table.to_json(orient="records", indent=1, double_precision=15))
        else:
            terminal.stdout().print(terminal.metrics(table, f"{path} (%)"))
    else:
        raise AudeoBenchError(f"{path}: no such run folder or .npz file.")


def _thresholds(text: str | None) -> tuple[float, ...] | None:
    from audeo_bench.api import AudeoBenchError

    if text is None:
        return None
    try:
        return tuple(dict.fromkeys(float(part) for part in text.split(",")))
    except ValueError as error:
        raise AudeoBenchError(f"--thresholds {text!r}: give numbers with commas, such as 0.3,0.4.") from error


def _print_tables(
    results: Sequence[Result],
    thresholds: tuple[float, ...] | None,
    average: Average,
    keys: KeyRange,
    per_recording: bool,
    notes: bool,
    causes: bool,
) -> None:
    from audeo_bench.paper import table1
    from audeo_bench.report import terminal

    out = terminal.stdout()
    corpus, limit = results[0].record.corpus, results[0].record.limit
    frames = sum(answer.frames for answer in results[0].record.answers.values())
    quick = f"QUICK LOOK, first {limit} recordings only, for no board: " if limit is not None else ""
    what = f"{corpus.provenance}: corpus {corpus.name} {corpus.version}, {corpus.split}, {frames:,} frames"
    title = f"{quick}Table 1 ({what}; {average}, {keys} keys, %)"
    caption = (
        "Source paper: as reported, on real video. Signed numbers: reproduced minus reported.\n"
        "Frames/s: the whole chain, without rendering or decoding the frames."
    )
    rows = table1.rows(results, thresholds, average, keys)
    out.print(terminal.table1(rows, title, caption))
    first = {r.record.system: table1.thresholds_of(r.record.system, thresholds)[0] for r in results}
    out.print(terminal.false_positives(results, first))
    if per_recording:
        heading = f"By recording ({what}; {average}, {keys} keys, %)"
        out.print(terminal.per_recording(results, first, average, keys, heading))
    if notes:
        out.print(terminal.notes(results, first, f"Notes ({what})"))
    if causes:
        out.print(terminal.groups(results, first, "polyphony"), terminal.groups(results, first, "register"))


def _print_json(
    results: Sequence[Result],
    thresholds: tuple[float, ...] | None,
    average: Average,
    keys: KeyRange,
    figures: Sequence[Path],
) -> None:
    import json
    from dataclasses import asdict

    from audeo_bench.paper import table1

    record = results[0].record
    answer = {
        "corpus": record.corpus.model_dump(),
        "limit": record.limit,
        "command": shlex.join(record.command),
        "average": average,
        "keys": keys,
        "unit": "%",
        "rows": [asdict(row) for row in table1.rows(results, thresholds, average, keys)],
        "runs": {result.record.system: str(result.folder) for result in results},
        "figures": [str(path) for path in figures],
    }
    typer.echo(json.dumps(answer, indent=1))


def _figures(results: Sequence[Result], corpus: Corpus) -> list[Path]:
    from audeo_bench.report.figures import run_figure

    return [run_figure(result.folder, corpus) for result in results]
