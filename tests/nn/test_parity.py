"""The full-size nets equal the authors' release: golden outputs for weights and inputs made by a recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from release_weights import recipe_weights

from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.nn.folding import folded
from audeo_bench.nn.stage import channels_last
from audeo_bench.nn.winograd import with_winograd

GOLDEN = Path(__file__).parents[1] / "golden"

NETS = {
    "video2roll_51": lambda: module("video2roll").Video2RollNet(64, 51),
    "video2roll_88": lambda: module("video2roll").Video2RollNet(64, 88),
    "roll2midi_generator": lambda: module("roll2midi_release").Generator(64),
    "roll2midi_discriminator": lambda: module("roll2midi_release").Discriminator(64),
}


def module(name: str):
    """A built-in contestant's file, as the harness loads it."""
    import sys

    return sys.modules[load_class(find(name)).__module__]


@pytest.fixture(scope="module")
def released() -> dict:
    return json.loads((GOLDEN / "audeo_release_state_dicts.json").read_text())


@pytest.mark.parametrize("name", NETS)
@torch.inference_mode()
def test_net_equals_the_release(name: str, released: dict) -> None:
    shapes, golden = released[name]["state_dict"], np.load(GOLDEN / "audeo_release_outputs.npz")[name]
    net = NETS[name]()
    assert {key: list(value.shape) for key, value in net.state_dict().items()} == shapes
    net.load_state_dict(recipe_weights(shapes))
    seed = 0 if name.startswith("video2roll") else 1
    given = torch.from_numpy(np.random.default_rng(seed).random(released[name]["input_shape"], np.float32))
    np.testing.assert_allclose(net.eval()(given), golden, atol=1e-4, rtol=0)
    rewritten = channels_last(with_winograd(folded(net)))
    np.testing.assert_allclose(rewritten(given), golden, atol=1e-4, rtol=0)
