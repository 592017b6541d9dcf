"""Two gloo processes train what one process trains."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from tiny_corpus import write_contestant
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import AudeoBenchError
from audeo_bench.training.loop import Recipe, _part, optimise

TINY_COMMAND = str(Path(__file__).parents[1] / "tiny_command.py")


def train(fabric: Fabric, folder: Path, epochs: int = 3, batch: int = 8) -> None:
    """Fit a little net to sines; the weights go to ``weights.pt``, what was drawn to ``draws-<rank>.npy``."""
    torch.manual_seed(1)
    bare = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    net, optimiser = fabric.setup(bare, torch.optim.Adam(bare.parameters(), 0.01))
    seen = []

    def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        points = rng.standard_normal((batch, 3)).astype(np.float32)
        return torch.from_numpy(points), torch.from_numpy(np.sin(points.sum(1, keepdims=True)))

    def step(points: Tensor, truth: Tensor) -> Tensor:
        seen.append(points.numpy())
        optimiser.zero_grad()
        loss = F.mse_loss(net(points), truth)
        fabric.backward(loss)
        optimiser.step()
        return loss

    context = SimpleNamespace(
        fabric=fabric,
        seed=4,
        epochs=None,
        smoke=False,
        timed=False,
        resume=True,
        folder=folder,
        identity={},
    )
    recipe = Recipe(
        bare, [optimiser], draw, step, lambda: -float(bare[0].weight.detach().norm()), epochs, steps=4
    )
    optimise(recipe, context, "sines")
    np.save(folder / f"draws-{fabric.global_rank}.npy", np.stack(seen))
    if fabric.global_rank == 0:
        torch.save(bare.state_dict(), folder / "weights.pt")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    train(Fabric(accelerator="cpu", devices=1), one)
    Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn").launch(train, two)
    return one, two


def test_two_processes_share_one_process_draws(folders):
    one, two = folders
    parts = [np.load(two / f"draws-{rank}.npy") for rank in range(2)]
    assert parts[0].shape == (12, 4, 3)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), np.load(one / "draws-0.npy"))


def test_two_processes_arrive_at_one_process_weights(folders):
    one, two = (torch.load(folder / "weights.pt", weights_only=True) for folder in folders)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=0)
    losses = [np.loadtxt(folder / "log.csv", delimiter=",", skiprows=1)[:, 1] for folder in folders]
    np.testing.assert_allclose(*losses, atol=1e-5)


def test_a_training_is_resumed_by_as_many_processes(folders):
    _, two = folders
    with pytest.raises(AudeoBenchError, match=r"is of another training .*processes 2, now None"):
        train(Fabric(accelerator="cpu", devices=1), two)


def test_a_batch_that_cannot_be_divided_is_refused():
    second = SimpleNamespace(world_size=2, global_rank=1)
    assert _part(torch.arange(6), second, "sines").tolist() == [3, 4, 5]
    assert _part(torch.tensor(True), second, "sines").tolist() is True
    with pytest.raises(AudeoBenchError, match="a batch of 7 cannot be divided among 2 processes"):
        _part(torch.arange(7), second, "sines")


LEARNER = """
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from audeo_bench.api import KEYS, VideoToRoll
from audeo_bench.training.loop import Recipe, optimise

class Learner(VideoToRoll):
    name = "learner"
    def __init__(self):
        self.net = torch.nn.Linear(3, 1)
    def fit(self, context):
        net, optimiser = context.fabric.setup(self.net, torch.optim.Adam(self.net.parameters(), 0.01))
        def draw(rng):
            return (torch.from_numpy(rng.standard_normal((8, 3)).astype(np.float32)),)
        def step(points):
            optimiser.zero_grad()
            loss = (net(points) - points.sum(1, keepdim=True)).square().mean()
            context.fabric.backward(loss)
            optimiser.step()
            return loss
        optimise(Recipe(self.net, [optimiser], draw, step, lambda: 0.5, 2, 3), context, "learner")
    def save(self, weights):
        save_file(self.net.state_dict(), weights)
    def load(self, weights):
        self.net.load_state_dict(load_file(weights))
    def roll(self, frames):
        return np.zeros((KEYS, len(frames)), np.float32)
"""


@pytest.mark.slow
def test_torchrun_starts_the_command_in_two_processes(tmp_path):
    learner = write_contestant(tmp_path, "learner", LEARNER)
    environment = os.environ | {
        "AUDEO_BENCH_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    weights = []
    for output, start in {"one": [], "two": torchrun}.items():
        command = [sys.executable, *start, TINY_COMMAND, "train", str(learner), "--corpus", "tiny"]
        options = ["--device", "cpu", "--precision", "32-true", "--output", output]
        done = subprocess.run(
            [*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("weights: ") == 1, done.stdout
        weights.append(tmp_path / output / "tiny" / "learner.safetensors")
    one, two = map(load_file, weights)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=0)
    checkpoint = torch.load(weights[1].parent / "work" / "learner" / "checkpoint.pt", weights_only=True)
    assert checkpoint["fingerprint"]["processes"] == "2"
    logs = [list(csv.DictReader(path.with_suffix(".csv").open())) for path in weights]
    assert [len(log) for log in logs] == [2, 2]
    assert json.loads(weights[1].with_suffix(".json").read_text())["epochs"] == 2
