"""``audeo-bench train``: contestants from scratch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audeo_bench.training.options import Options


def register(app: typer.Typer) -> None:
    """Add ``train``."""
    app.command(
        epilog="Continue after an interruption: give the same command again. Start over: add --fresh.",
    )(train)


def train(
    name: Annotated[
        str | None, typer.Argument(help="A built-in contestant, a file such as ./mine.py, or a chain.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Train every contestant whose weights are shipped, in order.")
    ] = False,
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Where the training recordings come from; repeatable.",
            show_default="simulated",
        ),
    ] = None,
    chosen_on: Annotated[
        list[str] | None,
        typer.Option(
            "--choose-on",
            metavar="NAME",
            help="Corpora whose validation recordings choose the checkpoint; those trained on if left out.",
        ),
    ] = None,
    called: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="What the weights go by, as in keywise@NAME.",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start-from", metavar="WEIGHTS", help="Go on from these weights, on other films, say."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the first weights and the order of the samples.")] = 0,
    width: Annotated[
        int | None, typer.Option(min=8, help="Channels of the first layer; the recipe's if left out.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="The recipe's if left out.")] = None,
    output: Annotated[
        Path, typer.Option(help="Folder for checkpoints, log, learning curve and weights.")
    ] = Path("trainings"),
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Continue a stopped training, or start over.")
    ] = True,
    precision: Annotated[str, typer.Option(help="auto, 32-true or bf16-mixed.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    smoke: Annotated[
        bool,
        typer.Option("--smoke", help="Only try whether it trains: one recording, a few steps."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that prepare frames; 0 for what cores and memory allow."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="tcp://HOST:PORT", help="A dask scheduler whose workers prepare frames."),
    ] = None,
    keyboards: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Photographs of pianos from above: half of the draws show their keyboards under the films' "
            "hands, for nets that see the keyboard at rest, such as keywise.",
        ),
    ] = None,
    average: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Take the mean of these weights, of trainings that went on from the same ones, instead of "
            "training; repeatable.",
        ),
    ] = None,
) -> None:
    """Train a contestant on the corpus's training split; validation chooses the checkpoint, never test."""
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.contestants.loading import find
    from audeo_bench.training.apart import apart
    from audeo_bench.training.options import Options
    from audeo_bench.training.placing import load_again, place, typed

    if every == (name is not None):
        raise AudeoBenchError(
            "train: name one contestant, such as `audeo-bench train keywise`, or give --all."
        )
    how = Options(
        tuple(corpus or ("simulated",)),
        tuple(chosen_on or ()),
        called,
        start,
        seed,
        width,
        epochs,
        output,
        resume,
        precision,
        device,
        smoke,
        workers,
        scheduler,
        keyboards,
        tuple(average or ()),
    )
    options = "".join(f" --corpus {one}" for one in corpus or ())
    told = os.environ.get("RANK", "0") == "0"  # by torchrun's first process
    if name is None:
        from audeo_bench.training import job
        from audeo_bench.training.estimate import estimate

        trainings = job.all_trainings(how, tuple(corpus or ()), lambda line: typer.echo(line, err=True))
        if not smoke:
            estimate(trainings, lambda line: typer.echo(line, err=True))
        made = job.train_all(trainings)
        if not told:
            return
        for path in made:
            typer.echo(f"weights: {path}")
        if corpus and not smoke:
            systems = ""
            for (one, _), path in zip(trainings, made, strict=True):
                if place(one, path) and find(one.rpartition("+")[2]).kind != "synthesizer":
                    systems += f" --system {typed(one, path)}"
            typer.echo(f"next:    audeo-bench midi{options}{systems}")
        return
    weights = apart(find(name.rpartition("+")[2].strip()), _trained, name, how)
    if not told:
        return
    typer.echo(f"weights: {weights}")
    load_again(name, weights)
    if smoke:
        typer.echo("smoke:   it trained a little, its weights were kept and read again")
        chosen = "".join(f" --choose-on {one}" for one in chosen_on or ())
        typer.echo(f"next:    audeo-bench train {name}{options}{chosen}")
        return
    placed = place(name, weights)
    choice = "" if placed else f" --weights {find(name.rpartition('+')[2]).name}={weights}"
    if placed:
        name = typed(name, weights)
        typer.echo(f"placed:  {placed}, where every command finds them as {name}")
    typer.echo(f"next:    audeo-bench midi --system {name}{choice} --limit 1")
    if "+" not in name:
        typer.echo(f"         audeo-bench check {name}{choice}")
    typer.echo(f"         audeo-bench compare {name}{choice} --against leaderboard")


def _trained(name: str, how: Options) -> Path:
    """What the training's own process does; only there is imported what trains."""
    from audeo_bench.training.job import train

    return train(name, how)
