"""``audeo-bench train``: a contestant is fitted; its weights, log and curve are kept with what made them."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning_fabric import Fabric

from audeo_bench.api import AudeoBenchError, Stage, VideoToRoll
from audeo_bench.contestants.loading import Contestant, find, system
from audeo_bench.contestants.module import load_class
from audeo_bench.contestants.roster import roster
from audeo_bench.corpus import Corpus, open_corpus
from audeo_bench.files import atomic_write, sha256_of
from audeo_bench.nn.stage import StackedFrames, TorchStage
from audeo_bench.provenance import code_digest, code_of, command, commit, hardware, versions
from audeo_bench.training.averaging import average
from audeo_bench.training.context import Context
from audeo_bench.training.curve import draw_learning_curve, score_column
from audeo_bench.training.keyboards import Photographs
from audeo_bench.training.loop import Diverged, Timed
from audeo_bench.training.options import Options


def choose_precision() -> str:
    """bf16 where the hardware multiplies it natively, else full precision."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if torch.cpu._is_amx_tile_supported() else "32-true"


def train(name: str, how: Options) -> Path:
    """Train the last contestant of a chain from scratch.

    Parameters
    ----------
    name : str
        A contestant, or a chain such as ``video2roll+roll2midi`` whose earlier stages have weights: in
        ``how.output`` from an earlier training with the same seed, else beside their files.
    how : Options

    Returns
    -------
    Path
        The weights.

    Raises
    ------
    AudeoBenchError
        If the contestant cannot train, a chain's earlier stage has no weights, or a checkpoint is of another
        training.
    """
    *earlier, last = [find(part.strip()) for part in name.split("+")]
    cls = load_class(last)
    if cls.fit is Stage.fit or cls.save is Stage.save or cls.load is Stage.load:
        raise AudeoBenchError(
            f"{last.path}: {cls.__name__} cannot be trained; define fit(context), save(weights) and "
            "load(weights), or derive from audeo_bench.nn.stage.TorchStage and define fit."
        )
    photographs = None if how.keyboards is None else Photographs(how.keyboards)
    if photographs and issubclass(cls, StackedFrames) and not cls.sees_idle:
        raise AudeoBenchError(
            f"--keyboards {how.keyboards}: {last.name} does not see the keyboard at rest; leave it out."
        )
    chosen_on = how.chosen_on or how.corpora
    # Before anything else is made and said: what is not here is the first thing to know.
    opened = {name: open_corpus(name) for name in dict.fromkeys((*how.corpora, *chosen_on))}
    if photographs:
        _ = photographs.paths
    for name in how.corpora:
        if opened[name].training_split not in (splits := opened[name].splits()):
            raise AudeoBenchError(
                f"corpus {name}: has only {', '.join(splits)}, and nothing to train on; give some of its "
                f"recordings the split `{opened[name].training_split}`, or train on another --corpus."
            )
    for name in chosen_on:
        if "validation" not in opened[name].splits():
            raise AudeoBenchError(
                f"corpus {name}: has no split `validation`, which chooses the checkpoint; give some of its "
                "recordings that split, or another corpus by --choose-on, such as --choose-on simulated."
            )
    torch.manual_seed(how.seed)
    stage = last.create(**({} if how.width is None else {"width": how.width}))
    fabric = Fabric(
        accelerator=how.device,
        # torchrun has started so many processes on so many machines; else it is all devices of this one.
        devices=int(os.environ["LOCAL_WORLD_SIZE"]) if "LOCAL_WORLD_SIZE" in os.environ else "auto",
        num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", "1")),
        precision=choose_precision() if how.precision == "auto" else how.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    known = "+".join(part.name for part in (*earlier, last))
    work, weights = how.folder / "work" / known, how.weights(known)
    if fabric.global_rank == 0:
        if not how.resume and work.exists():
            shutil.rmtree(work)
        work.mkdir(parents=True, exist_ok=True)
    fabric.barrier()
    whole = not issubclass(cls, VideoToRoll)
    context = Context(
        fabric,
        how.corpora,
        chosen_on,
        0,
        how.seed,
        how.epochs,
        work,
        resume=how.resume,
        smoke=how.smoke,
        timed=how.timed,
        whole=whole,
        workers=how.workers,
        scheduler=how.scheduler,
        photographs=photographs,
    )
    facts: dict[str, Any] = {}
    if how.start is not None:
        if not how.start.is_file():
            raise AudeoBenchError(f"{how.start}: no such weights to go on from; train them first.")
        stage.load(how.start)
        facts["started_from_sha256"] = sha256_of(how.start)
    if earlier:
        chains = ["+".join(part.name for part in earlier[:length]) for length in range(1, len(earlier) + 1)]
        given = [
            f"{part.name}={how.weights(chain)}"
            for part, chain in zip(earlier, chains, strict=True)
            if how.weights(chain).exists()
        ]
        first = system("+".join(part.typed for part in earlier), given).stages[-1]
        context.first_stage = first.load()  # type: ignore[assignment]
        facts["first_stage_weights_sha256"] = first.weights_sha256
    context.identity = _identity(last, stage, context, opened, facts)
    stage.trained_on = context.trained_on
    partial = any(opened[name].films_here("validation") for name in chosen_on)
    if (partial or set(chosen_on) != set(how.corpora)) and isinstance(stage, TorchStage):
        stage.chosen_on = context.validated_on
    if isinstance(stage, TorchStage):
        stage.smoke = how.smoke
    diverged = None
    try:
        if how.average:
            facts |= _averaged(stage, how.average, context)
        else:
            stage.fit(context)
    except Timed as found:
        raise context.told_of_all(found) from None
    except Diverged as fault:
        if not fault.history:
            raise
        diverged = fault
    if fabric.global_rank == 0:
        stage.save(weights)
        _describe(weights, stage, context, facts)
    fabric.barrier()  # the weights are there for all
    if diverged is not None:
        raise AudeoBenchError(f"{diverged}; stopped. The weights of the best epoch before are in {weights}.")
    return weights


def _averaged(stage: Stage, weights: Sequence[Path], context: Context) -> dict[str, Any]:
    if not isinstance(stage, StackedFrames):
        raise AudeoBenchError(
            f"--average: {stage.name} does not answer from stacked frames; train it instead."
        )
    score = average(stage, weights, context)
    return {"averaged_sha256": [sha256_of(path) for path in weights], "validation_score": score}


def _identity(
    last: Contestant, stage: Stage, context: Context, opened: Mapping[str, Corpus], facts: dict[str, Any]
) -> dict[str, str]:
    """What has to be the same for a stopped training to be the same when it goes on."""
    code = code_of(
        last.path, Path(__file__), *(Path(inspect.getfile(type(corpus))) for corpus in opened.values())
    )
    return {
        "corpus": " ".join(f"{name} {opened[name].version}" for name in context.corpora),
        "chosen on": " ".join(f"{name} {opened[name].version}" for name in context.chosen_on),
        "data": context.data_digest()[:12],
        "precision": str(context.fabric._precision.precision),
        "options": json.dumps(stage.describe(), sort_keys=True, default=str),
        "code": code_digest(code)[:12],
        "first stage": str(facts.get("first_stage_weights_sha256"))[:12],
        "started from": str(facts.get("started_from_sha256"))[:12],
        "keyboards": "None" if context.photographs is None else context.photographs.digest[:12],
    }


def all_trainings(
    how: Options, on: tuple[str, ...] = (), say: Callable[[str], None] = lambda line: None
) -> list[tuple[str, Options]]:
    """What ``train --all`` trains, in order: systems, each with how.

    Parameters
    ----------
    how : Options
    on : tuple of str
        Corpora on which all that is trained on simulated films is trained, once; empty for everything whose
        weights are shipped.
    say : callable
        Is told which trainings are left out, since their corpora are not here.

    Raises
    ------
    AudeoBenchError
        A corpus of ``on`` is not here.
    """
    trainings = roster().trainings
    if on:
        usual = replace(
            trainings["simulated"],
            corpora=on,
            chosen_on=how.chosen_on or on,
            seeds=(how.seed,),
            epochs={},
            keyboards=tuple(name for each in trainings.values() for name in each.keyboards if how.keyboards),
        )
        trainings = {how.called or "+".join(on): usual}
    found = []
    for called, training in trainings.items():
        try:
            for name in (*training.corpora, *training.chosen_on):
                open_corpus(name)
        except AudeoBenchError as fault:
            if on:
                raise
            say(f"left out {called}: {fault}")
            continue
        for seed, name in product(training.seeds, training.systems):
            if (training.average or name in training.keyboards) and how.keyboards is None:
                say(f"left out {name} of {called}: give photographs of pianos with --keyboards FOLDER")
                continue
            average = tuple(how.output / each / f"{name}.safetensors" for each in training.average)
            start = how.output / training.start / f"{name}.safetensors" if name in training.goes_on else None
            last = load_class(find(name.rpartition("+")[2]))
            found.append(
                (
                    name,
                    replace(
                        how,
                        corpora=training.corpora,
                        chosen_on=training.chosen_on,
                        called=called,
                        start=start,
                        seed=seed,
                        width=how.width if "width" in inspect.signature(last).parameters else None,
                        epochs=how.epochs or training.epochs.get(name),
                        keyboards=how.keyboards if name in training.keyboards else None,
                        average=average,
                    ),
                )
            )
    return found


def train_all(trainings: Sequence[tuple[str, Options]]) -> list[Path]:
    """Train one after the other: first stages, second stages on their rolls, the synthesizers.

    Trainings that are finished are kept, so that the same command continues after an interruption.
    """
    return [
        how.weights(name) if how.resume and how.weights(name).exists() else train(name, how)
        for name, how in trainings
    ]


def _describe(weights: Path, stage: Stage, context: Context, facts: dict[str, Any]) -> None:
    """Keep the log, the curve and what made the weights beside them."""
    log, curve = context.folder / "log.csv", {}
    if log.is_file():  # a contestant with a loop of its own has none
        history = pd.read_csv(log)
        shutil.copyfile(log, weights.with_suffix(".csv"))
        draw_learning_curve(
            history, weights.with_suffix(".png"), title=f"{weights.stem} · {' and '.join(context.corpora)}"
        )
        best = history.loc[history[score_column(history)].idxmax()]
        curve = {
            "epochs": len(history),
            "best_epoch": int(best["epoch"]),
            score_column(history): float(best[score_column(history)]),
            "training_seconds": float(history["seconds"].iloc[-1]),
            "training_processor_seconds": float(history["processor_seconds"].iloc[-1]),
        }
    described = stage.describe()
    record = {
        "contestant": weights.stem,
        "weights_sha256": sha256_of(weights),
        "command": shlex.join(command()),
        "seed": context.seed,
        "corpora": list(context.corpora),
        "chosen_on": list(context.validated_on),
        "trained_on": list(stage.trained_on),
        "options": getattr(stage, "options", {}),
        **({"smoke": True} if context.smoke else {}),
        "parameters": described.get("parameters"),
        "precision": str(context.fabric._precision.precision),
        "processes": context.fabric.world_size,
        "identity": dict(context.identity),
        "commit": commit(),
        "versions": versions(),
        "hardware": hardware(),
        **curve,
        **facts,
    }
    with atomic_write(weights.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
