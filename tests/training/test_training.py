"""Trainings: seeded draws, checkpoints that a kill cannot spoil, and what lies beside the weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning_fabric import Fabric
from tiny_corpus import write_contestant
from torch import nn
from torch.nn import functional as F
from typer.testing import CliRunner

import audeo_bench.training.context as training_context
import audeo_bench.training.frames as training_frames
import audeo_bench.training.gan as training_gan
import audeo_bench.training.loop as training_loop
from audeo_bench.api import AudeoBenchError, Recording, Work
from audeo_bench.cli import app
from audeo_bench.contestants.loading import find, system
from audeo_bench.contestants.process import lent
from audeo_bench.contestants.roster import roster
from audeo_bench.crew import Crew
from audeo_bench.nn.stage import as_stored
from audeo_bench.places import checkout
from audeo_bench.training import job
from audeo_bench.training.context import VALIDATION_ROLLS, Context
from audeo_bench.training.estimate import estimate
from audeo_bench.training.frames import BalancedDraws, stacks
from audeo_bench.training.job import Options
from audeo_bench.training.loop import Diverged, Recipe, Timed, optimise

SEED = 3


def fit_line(
    folder: Path,
    *,
    stop_at: int | None = None,
    seed: int = SEED,
    epochs: int = 4,
    resume: bool = True,
    validation: Iterable[float] | None = None,
    nan_at: int | None = None,
    identity: Mapping[str, str] = MappingProxyType({}),
):
    """Fit y = 2x - 1 by one linear layer, optionally dying at a step; the weights and the history.

    ``validation`` are the epochs' scores, if not how near the slope is.
    """
    given = iter(validation) if validation is not None else None
    torch.manual_seed(seed)
    fabric = Fabric(accelerator="cpu", devices=1)
    bare = nn.Linear(1, 1)
    net, optimiser = fabric.setup(bare, torch.optim.Adam(bare.parameters(), 0.05))
    seen = []

    def draw(rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        x = torch.from_numpy(rng.normal(size=(8, 1)).astype(np.float32))
        return x, 2 * x - 1

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if stop_at is not None and len(seen) == stop_at:
            raise KeyboardInterrupt
        seen.append(float(x.sum()))
        optimiser.zero_grad()
        loss = F.mse_loss(net(x), y)
        fabric.backward(loss)
        optimiser.step()
        return loss * float("nan") if nan_at == len(seen) else loss

    def validate() -> float:
        return -abs(bare.weight.item() - 2) if given is None else next(given)

    recipe = Recipe(bare, [optimiser], draw, step, validate, epochs, 10)
    context = Context(
        fabric, ("simulated",), ("simulated",), 0, seed, None, folder, resume, identity=identity
    )
    history = optimise(recipe, context, "line")
    return bare.weight.detach().clone(), history


@pytest.mark.parametrize("stop_at", [3, 10, 27])
def test_a_stopped_training_resumes_to_the_same_weights(tmp_path: Path, stop_at: int) -> None:
    whole, whole_history = fit_line(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit_line(tmp_path / "broken", stop_at=stop_at)
    resumed, history = fit_line(tmp_path / "broken")
    assert torch.equal(whole, resumed)
    assert [line["loss"] for line in history] == [line["loss"] for line in whole_history]


def test_the_rate_falls_along_half_a_cosine(tmp_path: Path) -> None:
    _, history = fit_line(tmp_path, epochs=20)
    rates = np.array([line["learning_rate"] for line in history]) / 0.05
    assert (np.diff(rates) < 0).all()
    assert rates[9] == pytest.approx(0.5, abs=0.05)
    assert 0.01 < rates[-1] < 0.02


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    fit_line(tmp_path, epochs=1)
    with pytest.raises(AudeoBenchError, match=r"checkpoint\.pt: is of another training"):
        fit_line(tmp_path, epochs=2)


def test_a_training_goes_on_only_under_what_it_began_with(tmp_path: Path) -> None:
    began = {"corpus": "simulated 1", "precision": "32-true", "code": "abc"}
    fit_line(tmp_path, epochs=1, identity=began)
    with pytest.raises(AudeoBenchError, match=r"another training \(corpus simulated 1, now simulated 2\)"):
        fit_line(tmp_path, epochs=1, identity=began | {"corpus": "simulated 2"})


def test_a_loss_that_is_no_number_stops_at_once(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="line: the loss is nan at step 4 of epoch 2") as fault:
        fit_line(tmp_path / "nan", epochs=2, nan_at=14)
    assert len(fault.value.history) == 1
    with pytest.raises(Diverged, match="step 3 of epoch 1"):
        fit_line(tmp_path / "early", nan_at=3)


def test_what_was_validated_is_what_is_kept(tmp_path: Path) -> None:
    weight, _ = fit_line(tmp_path)
    assert torch.equal(weight, weight.half().float())


def test_what_float16_cannot_hold_stays_float32() -> None:
    state = {"a": torch.tensor([1.0, 1e5]), "b": torch.tensor([1.0, 2.0]), "n": torch.tensor(3)}
    kept = as_stored(state)
    assert [kept[name].dtype for name in state] == [torch.float32, torch.float16, torch.int64]
    assert torch.equal(kept["a"], state["a"])


def test_equal_nets_give_equal_bytes(tmp_path: Path) -> None:
    stage = find("video2roll").create(width=8)
    for path in (tmp_path / "one", tmp_path / "two"):
        stage.save(path)
        again = find("video2roll").create()
        again.load(path)
        assert again.describe() == stage.describe()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_checkpoint_of_other_contents_is_named(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "checkpoint.pt")
    with pytest.raises(AudeoBenchError, match=r"checkpoint\.pt: is of another training"):
        fit_line(tmp_path)


@pytest.mark.parametrize("damage", [lambda b: b[:100], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_kept_frames_that_changed_are_made_anew(tiny: Path, damage) -> None:
    source = training_frames.Source("simulated", 0, "validation")
    render_here([source], (50, 450))
    [first, _] = before = training_frames.cached_frames([source], (50, 450))
    expected, path = np.array(first), Path(first.filename)
    del before, first
    path.write_bytes(damage(path.read_bytes()))
    render_here([source], (50, 450))
    np.testing.assert_array_equal(training_frames.cached_frames([source], (50, 450))[0], expected)


def test_frames_are_rendered_by_the_crew(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, asked = training_frames.Source("simulated", 0, "validation"), []

    @contextmanager
    def elsewhere(workers: int, scheduler: str | None) -> Iterator[Crew]:
        asked.append((workers, scheduler))
        yield Crew()

    monkeypatch.setattr(training_frames, "crew", elsewhere)
    first = training_frames.cached_frames([source], (50, 450), 3, "tcp://one:8786")
    assert asked == [(3, "tcp://one:8786")]
    render_here([source], (50, 450))
    np.testing.assert_array_equal(first[0], training_frames.cached_frames([source], (50, 450))[0])
    assert len(asked) == 1, "what is kept is rendered again"
    monkeypatch.setattr(training_frames, "_render", lambda *given: None)
    with pytest.raises(AudeoBenchError, match="shared disk by AUDEO_BENCH_CACHE"):
        training_frames.cached_frames([source], (20, 450), 3, "tcp://one:8786")


MINE = """
import json
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Mine(VideoToRoll):
    mean = 0.5
    def fit(self, context):
        self.mean = float(np.mean([recording.sounding.mean() for recording in context.training]))
    def save(self, weights):
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(json.dumps(self.mean))
    def load(self, weights):
        self.mean = json.loads(weights.read_text())
    def roll(self, frames):
        return np.full((KEYS, len(frames)), self.mean, np.float32)
"""


def test_any_class_with_fit_save_and_load_trains(tiny: Path) -> None:
    path = write_contestant(tiny / "my", "my_cnn", MINE)
    weights = job.train(str(path), quick(tiny))
    assert weights == tiny / "simulated" / "my_cnn.safetensors"
    with lent(system(str(path), [f"my_cnn={weights}"]).stages[0]) as worker:
        answer = worker.roll(np.zeros((2, 100, 900), np.uint8), "wtc2-01")
    assert 0 < answer.roll[0, 0] < 0.5
    assert json.loads(weights.with_suffix(".json").read_text())["trained_on"][0] == "simulated/wtc1"


def test_what_cannot_keep_its_weights_is_refused_before_it_trains(tiny: Path) -> None:
    path = write_contestant(tiny, "my_cnn", MINE.replace("def save", "def keep"))
    with pytest.raises(AudeoBenchError, match=r"Mine cannot be trained; define .* save\(weights\)"):
        job.train(str(path), quick(tiny))


def test_a_spoilt_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(AudeoBenchError, match=r"checkpoint\.pt: cannot be read"):
        fit_line(tmp_path)


@given(seed=st.integers(0, 2**32 - 1))
def test_draws_have_the_class_they_were_drawn_for(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rolls = [rng.random((4, int(frames))) < 0.2 for frames in rng.integers(5, 60, size=3)]
    # Frames by class: the four keys, and silence; a class that no frame has is not drawn.
    has = [np.vstack([roll, ~roll.any(0)]) for roll in rolls]
    counts = [sum(int(rows[number].sum()) for rows in has) for number in range(5)]
    classes = [number for number in range(5) if counts[number]]
    roots = np.sqrt([counts[number] for number in classes])
    # What is drawn first.
    wanted = np.random.default_rng(seed).choice(len(classes), size=50, p=roots / roots.sum())
    recording, frame = BalancedDraws(rolls)(np.random.default_rng(seed), 50)
    for drawn, r, f in zip(wanted, recording, frame, strict=True):
        assert has[r][classes[drawn], f]


def test_a_key_with_a_hundredth_of_the_frames_is_drawn_a_tenth_as_often() -> None:
    roll = np.zeros((2, 1000), bool)
    roll[0, :900] = True
    roll[1, 900:909] = True
    recording, frame = BalancedDraws([roll])(np.random.default_rng(0), 6000)
    assert not recording.any()
    counts = np.array([(frame < 900).sum(), ((frame >= 900) & (frame < 909)).sum(), (frame >= 909).sum()])
    assert counts / counts[0] == pytest.approx([1, 1 / 10, (91 / 900) ** 0.5], abs=0.03)


def test_a_stack_at_the_edge_repeats_its_middle_frame() -> None:
    frames = np.arange(6, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    found = stacks([frames], np.zeros(3, int), np.array([0, 1, 3]))[:, :, 0, 0]
    assert found.tolist() == [[0, 0, 0, 1, 2], [1, 0, 1, 2, 3], [1, 2, 3, 4, 5]]


class TinyCorpus:
    """Two works of bright keys, so that a training takes a second."""

    name, version, provenance, has_takes = "simulated", "tiny", "simulated", True
    training_split = whole_training_split = "wtc1"

    def ids(self, split: str) -> list[str]:
        return [one.id for one in bright_recordings(split, 0)]

    def take_id(self, recording_id: str, take: int) -> str:
        return f"{recording_id}~t{take}" if take else recording_id

    def splits(self) -> tuple[str, ...]:
        return ("wtc1", "validation", "wtc2")

    def films_here(self, split: str) -> None:
        return None

    def unready(self, split: str) -> tuple[str, ...]:
        return ()

    def recording(self, recording_id: str) -> Recording:
        split, take = recording_id.partition("-")[0], int(recording_id.partition("~t")[2] or 0)
        return next(one for one in bright_recordings(split, take) if one.id == recording_id)

    def recordings(self, split: str, take: int = 0) -> list[Recording]:
        return bright_recordings(split, take)


@cache
def bright_recordings(split: str, take: int) -> list[Recording]:
    found = []
    for number in range(2):
        rng = np.random.default_rng([len(split), number, take])
        roll = np.zeros((88, 140), bool)
        roll[15:66] = rng.random((51, 140)) < 0.05
        frames = rng.integers(0, 60, (140, 100, 900), dtype=np.uint8)
        for key, frame in np.argwhere(roll):
            frames[frame, :, key * 10 : key * 10 + 10] = 250
        suffix = f"~t{take}" if take else ""
        work = Work("Simulated", "Bright keys")
        found.append(
            Recording(f"{split}-{number}{suffix}", "Bright keys", work, split, "simulated", frames, roll)
        )
    return found


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("AUDEO_BENCH_CACHE", str(tmp_path / "cache"))
    for module in (training_context, training_frames, job):
        monkeypatch.setattr(module, "open_corpus", lambda name, seed=0: TinyCorpus())
    monkeypatch.setattr("audeo_bench.training.recipes.DRAWS_PER_EPOCH", 64)
    return tmp_path


def quick(output: Path, **options) -> Options:
    return Options(output=output, device="cpu", precision="32-true", **options)


def render_here(sources, shape):
    """Render in this process: a worker would not see the tiny corpus."""
    for source in sources:
        for number in range(len(source.ids())):
            training_frames._render(source, number, shape)


@pytest.mark.parametrize("name", ["resnet", "video2roll", "resnet_aggregation_slope", "keywise"])
def test_every_first_stage_trains_and_leaves_a_record(tiny: Path, name: str) -> None:
    takes = [training_frames.Source("simulated", 0, "wtc1", take) for take in range(3)]
    for source in takes:
        render_here([source, training_frames.Source("simulated", 0, "validation")], (50, 450))
    weights = job.train(name, quick(tiny, width=8, epochs=1))
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["contestant"] == name
    assert record["options"]["width"] == 8
    assert weights.with_suffix(".csv").read_text().startswith("epoch,loss,validation_score")
    assert weights.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    again = system(name, [str(weights)]).stages[0].load()
    answer = again.roll(TinyCorpus().recordings("wtc2")[0].frames)  # type: ignore[attr-defined]
    assert answer.shape == (88, 140)
    assert answer.dtype == np.float32
    assert 0 <= answer.min() <= answer.max() <= 1


def test_a_second_stage_trains_on_rolls_of_takes_that_the_first_never_saw(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [training_frames.Source("simulated", 0, "wtc1", take) for take in range(5)]
    render_here([*sources, training_frames.Source("simulated", 0, "validation")], (50, 450))
    job.train("resnet", quick(tiny, width=2, epochs=1))
    (tiny / "simulated").mkdir(exist_ok=True)
    for path in (tiny / "simulated-width2").glob("resnet.*"):
        path.rename(tiny / "simulated" / path.name)
    monkeypatch.setattr(training_gan.fit_refiner, "__defaults__", (1, 2, 2))
    weights = job.train("resnet+roll2midi", quick(tiny))
    record = json.loads(weights.with_suffix(".json").read_text())
    assert record["trained_on"] == ["simulated/wtc1~t3"]
    first = (tiny / "simulated" / "resnet.safetensors").read_bytes()
    assert record["first_stage_weights_sha256"] == hashlib.sha256(first).hexdigest()
    kept = sorted(path.name for path in (tiny / "simulated/work/resnet+roll2midi/rolls").glob("*/*.npy"))
    assert kept[:2] == ["validation-0.npy", "validation-1.npy"]
    assert all("~t3" in name or "~t4" in name for name in kept[2:])


def test_training_a_second_stage_alone_is_refused(tiny: Path) -> None:
    with pytest.raises(AudeoBenchError, match="behind a first stage"):
        job.train("roll2midi", quick(tiny))


def test_all_trains_what_is_shipped_each_stage_before_what_refines_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []

    def train(name: str, how: Options) -> Path:
        weights = how.weights(name)
        if name == "keywise" and "keywise" not in trained:
            trained.append(name)
            raise KeyboardInterrupt
        trained.append(name)
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.touch()
        return weights

    monkeypatch.setattr(job, "train", train)
    monkeypatch.setattr("audeo_bench.training.estimate.estimate", lambda trainings, say: 0.0)
    command = ["train", "--all", "--seed", "5", "--width", "8", "--output", str(tmp_path)]
    assert CliRunner().invoke(app, command).exit_code == 130
    first = [*trained]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert trained[len(first) :][0] == "keywise", "what was finished is trained again"
    done = [path.split("/")[-1].removesuffix(".safetensors") for path in result.stdout.split()[1::2]]
    shipped = {path.stem for path in checkout().glob("*/weights/*.safetensors")}  # type: ignore[union-attr]
    assert set(done) >= shipped
    for name in done:
        assert "+" not in name or done.index(name.rpartition("+")[0]) < done.index(name)


def test_all_on_other_corpora_trains_each_of_the_usual_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "open_corpus", lambda name, seed=0: TinyCorpus())
    how = quick(tmp_path, width=64, seed=3)
    found = dict(job.all_trainings(how, ("films",)))
    assert list(found) == list(roster().trainings["simulated"].systems)
    assert {(one.corpora, one.chosen_on, one.seed) for one in found.values()} == {(("films",), ("films",), 3)}
    assert (
        found["video2roll"].weights("video2roll") == tmp_path / "films-seed3-width64/video2roll.safetensors"
    )
    assert found["templates"].width is None  # which has none


def test_the_time_is_told_before_it_begins(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audeo_bench.training.recipes.DRAWS_PER_EPOCH", 64 * 1000)
    sources = [training_frames.Source("simulated", 0, split, 0, 1) for split in ("wtc1", "validation")]
    render_here(sources, (50, 450))
    measure, measured = training_loop._seconds_a_step, []

    def ten(*given) -> float:
        measured.append(measure(*given))
        return 10.0

    monkeypatch.setattr(training_loop, "_seconds_a_step", ten)
    monkeypatch.setattr(training_loop, "_seconds_of_judging", lambda recipe: 300.0)
    monkeypatch.setattr(
        "audeo_bench.training.estimate.seconds_to_keep", lambda source, shape: 60.0 + source.take
    )
    said: list[str] = []
    seconds = estimate([("resnet", quick(tiny, width=2, epochs=2, workers=1))] * 2, said.append)
    assert len(measured) == 1 and measured[0] > 0  # two of a kind are measured once
    frames = 60 + 61 + 62 + 60  # three takes and the validation, once for both trainings
    judged = 2 * 300 * 2  # two epochs, two recordings
    assert seconds == 2 * (2000 * 10 + judged) + frames
    assert said[0].startswith("resnet: 2,000 steps, about 5 h 33 min, ") and "for validations" in said[0]
    assert said[1] == "frames that are not kept yet: about 4 min"
    assert said[2].startswith("2 trainings: about 11 h ")
    assert not (tiny / "simulated-width2").exists()  # nothing is left of it


def test_what_was_measured_on_one_recording_is_told_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Twelve(TinyCorpus):
        has_takes = False

        def ids(self, split):
            return list("ab" if split == "wtc1" else "cdefghijklmn")

    monkeypatch.setattr("audeo_bench.training.context.open_corpus", lambda name, seed=0: Twelve())
    monkeypatch.setattr("audeo_bench.training.frames.open_corpus", lambda name, seed=0: Twelve())
    fabric = Fabric(accelerator="cpu", devices=1)

    def told(answered: bool) -> Timed:
        context = Context(fabric, ("films",), ("films",), 0, 0, None, tmp_path, smoke=True, timed=True)
        context._answered = answered
        context._each |= {"sound": 5.0, VALIDATION_ROLLS: 7.0}
        context._shapes.add((50, 450))
        return context.told_of_all(Timed(10, 100.0, 20.0))

    whole, share = told(answered=False), told(answered=True)
    assert whole.validating == 20 * 12
    assert share.validating == 20 * 12 * (7200 // 12) / 1200  # all twelve share 7,200 frames
    assert whole.making == {"sound": 5.0 * 2, VALIDATION_ROLLS: 7.0 * 12}
    assert {source.split for source, _ in whole.frames} == {"wtc1", "validation"}


class SlowAtFirst(np.ndarray):
    """Frames before which a scene is built."""

    clock = 0.0

    def __getitem__(self, window):
        if isinstance(window, slice):
            SlowAtFirst.clock += (10.0 if not window.start else 0.0) + 0.1 * len(
                range(*window.indices(len(self)))
            )
        return super().__getitem__(window)


@pytest.mark.parametrize("frames", [30, 50, 70, 1000])
def test_what_a_film_waits_for_first_is_counted_once(frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    film = np.zeros((frames, 100, 900), np.uint8).view(SlowAtFirst)
    SlowAtFirst.clock = 0.0
    monkeypatch.setattr(training_frames, "shrink", lambda window, shape: window)
    monkeypatch.setattr(training_frames.time, "monotonic", lambda: SlowAtFirst.clock)
    assert training_frames._seconds_of(film, (50, 450)) == pytest.approx(10 + 0.1 * frames)


def test_frames_that_are_kept_take_no_more_time(tiny: Path) -> None:
    source = training_frames.Source("simulated", 0, "wtc1")
    assert training_frames.seconds_to_keep(source, (50, 450)) > 0
    render_here([source], (50, 450))
    assert training_frames.seconds_to_keep(source, (50, 450)) == 0


def test_films_that_are_not_ready_are_counted_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    class Films(TinyCorpus):
        def unready(self, split):
            return self.ids(split)[len(opened) :]

        def recording(self, one):
            opened.append(one)
            return super().recording(one)

    monkeypatch.setattr(training_frames, "open_corpus", lambda name, seed=0: films)
    films = Films()
    source, moments = training_frames.Source("films", 0, "wtc2"), iter((0.0, 4.0))
    monkeypatch.setattr(training_frames.time, "monotonic", lambda: next(moments))
    assert training_frames.seconds_to_open(source) == 4.0 * len(films.ids("wtc2"))
    assert opened == [films.ids("wtc2")[0]]


def test_the_command_needs_a_name_or_all() -> None:
    assert CliRunner().invoke(app, ["train"]).exit_code == 2


def test_a_corpus_that_is_not_here_is_said_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "Fabric", lambda **options: pytest.fail("which says what it uses"))
    for how in (Options(("nowhere",), output=tmp_path), Options(chosen_on=("nowhere",), output=tmp_path)):
        with pytest.raises(AudeoBenchError, match="no corpus 'nowhere'"):
            job.train("keywise", how)
    assert list(tmp_path.iterdir()) == []
