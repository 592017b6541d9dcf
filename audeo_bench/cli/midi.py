"""``audeo-bench midi``: Table 1. ``audeo-bench score``: rolls that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from audeo_bench.cli import options

# The same words as in audeo_bench.score, whose import `--help` has no time for.
Average = Literal["frame_mean", "micro"]
KeyRange = Literal["51", "88"]

Thresholds = Annotated[
    str | None,
    typer.Option(
        "--threshold", help="One or more, such as 0.3,0.4,0.5; a key is on from its threshold upwards."
    ),
]
AverageChoice = Annotated[
    Average | None,
    typer.Option(
        help="frame_mean as the paper; micro as mir_eval. [default: frame_mean, micro for real films]"
    ),
]
KeysChoice = Annotated[
    KeyRange | None, typer.Option(help="The paper's 51 keys, or all 88. [default: 51, 88 for real films]")
]
PerRecording = Annotated[bool, typer.Option("--per-recording", help="Each recording's values too.")]
NotesTable = Annotated[bool, typer.Option("--notes", help="Onset and note metrics too.")]
PedalNotes = Annotated[
    Literal["ignore", "hold"],
    typer.Option(
        "--pedal", help="hold: note metrics too, against true notes as long as the sustain pedal holds them."
    ),
]
CausesTable = Annotated[bool, typer.Option("--causes", help="F1 by polyphony and by register too.")]


def register(app: typer.Typer) -> None:
    """Add ``midi`` and ``score``."""
    app.command(epilog="Example: audeo-bench midi --system ./my_model.py --system keywise --limit 1")(midi)
    app.command(epilog="Example: audeo-bench score runs/simulated-wtc2/keywise --threshold 0.3,0.4,0.5")(
        score
    )


def midi(
    split: options.Split = "wtc2",
    corpus: options.Corpus = "simulated",
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|PATH",
            help="A system: a built-in name, a file such as ./my_model.py, or a chain such as "
            "./my_model.py+roll2midi. Repeatable; every shipped system if left out.",
        ),
    ] = None,
    thresholds: Thresholds = None,
    weights: options.Weights = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many recordings: a quick look, for no board.")
    ] = None,
    runs: options.Runs = Path("runs"),
    seed: options.Seed = 0,
    corpus_seed: options.CorpusSeed = 0,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
    average: AverageChoice = None,
    keys: KeysChoice = None,
    per_recording: PerRecording = False,
    notes: NotesTable = False,
    pedal: PedalNotes = "ignore",
    causes: CausesTable = False,
    figure: Annotated[
        bool, typer.Option(help="Draw predicted rolls above the truth, as the paper's Fig. 5.")
    ] = True,
    midi_files: Annotated[
        bool, typer.Option("--midi", help="Write each answer as a MIDI file, into midi/ of its run folder.")
    ] = False,
    form: options.Format = "table",
    as_json: options.Json = False,
) -> None:
    """Table 1: let systems turn video into piano rolls, and score them frame by frame.

    Answers are kept in run folders; the same command continues a run that was stopped.
    """
    from audeo_bench.crew import crew
    from audeo_bench.paper.table1 import View, chosen_systems, reproduce
    from audeo_bench.report import table1 as report
    from audeo_bench.report.figures import run_figure
    from audeo_bench.report.terminal import show
    from audeo_bench.runs.midi_files import write_midi_files
    from audeo_bench.runs.released_answers import coverage
    from audeo_bench.runs.task import open_task

    task = open_task(corpus, split, runs, limit, seed, corpus_seed)
    systems = chosen_systems(task, system or (), weights or ())  # before films are made ready
    view = View.of(task.subject, _thresholds(thresholds), average, keys)
    with crew(1 if workers is None else workers, scheduler) as who:
        results = reproduce(task, systems, view.thresholds, who)
    figures = [run_figure(result.folder, task.corpus) for result in results] if figure else []
    if midi_files:
        for result in results:
            threshold = view.thresholds_of(result.record.system)[0]
            write_midi_files(result.folder, threshold)
    if as_json or form == "json":
        typer.echo(report.as_json(results, view, figures))
        return
    show(report.tables(results, view, _extras(per_recording, notes, causes, pedal)), form)
    if form != "table":
        return
    for line in coverage(results, task):
        typer.echo(line)
    for path in figures:
        typer.echo(f"figure: {path}")
    if midi_files:
        typer.echo(f"midi:   {results[0].folder.parent}/*/midi/")
    typer.echo(f"runs:   {results[0].folder.parent}")


def score(
    path: Annotated[
        Path,
        typer.Argument(help="A run folder, or an .npz file with the arrays `labels` and `probabilities`."),
    ],
    thresholds: Thresholds = None,
    average: AverageChoice = None,
    keys: KeysChoice = None,
    per_recording: PerRecording = False,
    notes: NotesTable = False,
    pedal: PedalNotes = "ignore",
    causes: CausesTable = False,
    form: options.Format = "table",
    as_json: options.Json = False,
) -> None:
    """Score rolls that are there already; no model runs.

    For an .npz file, (frames, 88) or (88, frames), both averages and both key ranges are printed.
    """
    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.paper.table1 import View
    from audeo_bench.report import table1 as report
    from audeo_bench.report.terminal import show
    from audeo_bench.runs.scoring import result
    from audeo_bench.score import THRESHOLDS, score_file

    chosen = _thresholds(thresholds)
    if path.is_dir():
        results = [result(path, chosen)]
        view = View.of(results[0].record.subject, chosen, average, keys)
        if as_json or form == "json":
            typer.echo(report.as_json(results, view))
        else:
            show(report.tables(results, view, _extras(per_recording, notes, causes, pedal)), form)
    elif path.is_file():
        table = score_file(path, chosen or THRESHOLDS)
        if as_json or form == "json":
            typer.echo(table.to_json(orient="records", indent=1, double_precision=15))
        else:
            show([report.metrics(table, f"{path} (%)")], form)
    else:
        raise AudeoBenchError(f"{path}: no such run folder or .npz file.")


def _extras(recordings: bool, notes: bool, groups: bool, pedal: str) -> list[str]:
    asked = {"recordings": recordings, "notes": notes, "held notes": pedal == "hold", "groups": groups}
    return [name for name, wanted in asked.items() if wanted]


def _thresholds(text: str | None) -> tuple[float, ...]:
    from audeo_bench.errors import AudeoBenchError

    try:
        return tuple(dict.fromkeys(float(part) for part in text.split(","))) if text else ()
    except ValueError as error:
        raise AudeoBenchError(f"--threshold {text!r}: give numbers with commas, such as 0.3,0.4.") from error
