"""Score-CAM finds what a net looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError, Recording, Work
from audeo_bench.cli import app
from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.explain.drawing import draw_heat_maps
from audeo_bench.explain.score_cam import explain, heat_map, layers
from audeo_bench.keyboard import KEY_X, KEYBOARD_WIDTH
from audeo_bench.keyboard.names import key_of
from audeo_bench.nn.stage import StackedFrames


class BandNet(nn.Module):
    """Four channels, one for each quarter of the picture; a key's logit is the brightness of its quarter."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Identity()
        self.quarter = torch.from_numpy(np.minimum(4 * KEY_X / KEYBOARD_WIDTH, 3).astype(int))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        middle = frames[:, 2:3]
        bands = torch.zeros(1, 4, *middle.shape[-2:])
        for band, columns in enumerate(torch.arange(middle.shape[-1]).chunk(4)):
            bands[0, band, :, columns] = 1
        maps = self.look(middle * bands)
        return 50 * maps.mean((2, 3))[:, self.quarter]


class Bands(StackedFrames):
    name = "bands"

    def __init__(self) -> None:
        self.options = {"keys": 88, "frame_shape": [50, 450]}
        self.net = BandNet()


@pytest.mark.parametrize("key", [5, 30, 50, 80])
def test_the_heat_lies_where_the_net_looks(key: int) -> None:
    clip = np.random.default_rng(0).integers(90, 160, (5, 100, 900), dtype=np.uint8)
    found = heat_map(Bands(), clip, [key])
    quarter = min(int(4 * KEY_X[key] / KEYBOARD_WIDTH), 3)
    columns = found.heat.sum(0)
    assert columns[225 * quarter : 225 * (quarter + 1)].sum() > 0.9 * columns.sum()
    assert found.heat.shape == (100, 900)
    assert found.heat.max() == pytest.approx(1)
    assert found.layer == "look"
    assert found.at_keys > found.by_area


@pytest.mark.parametrize("name", ["video2roll", "resnet", "resnet_aggregation_slope", "keywise"])
def test_every_kind_of_net_has_feature_maps(name: str) -> None:
    torch.manual_seed(0)
    stage = load_class(find(name))(width=4)  # type: ignore[call-arg]
    pictures = stage.stack + stage.sees_idle  # type: ignore[attr-defined]
    clip = np.random.default_rng(0).integers(0, 255, (pictures, 100, 900), dtype=np.uint8)
    assert len(layers(stage, clip)) > 3
    assert heat_map(stage, clip, [39]).layer == ("layer3" if name == "keywise" else "layer4")
    found = heat_map(stage, clip, [39])
    assert np.isfinite(found.heat).all()
    assert 0 <= found.heat.min() <= found.heat.max() <= 1


def test_keys_have_names_and_numbers() -> None:
    assert key_of("C4") == key_of("60") == 39
    assert key_of("A0") == 0
    assert key_of("F#3") == 33
    for bad, found in {"H4": "give a note", "C9": "a piano has", "12": "a piano has"}.items():
        with pytest.raises(AudeoBenchError, match=found):
            key_of(bad)


def test_a_layer_or_key_that_is_not_there_is_named() -> None:
    clip = np.full((5, 100, 900), 90, np.uint8)
    clip[:, :, 400:] = 200
    stage = load_class(find("resnet"))(width=4, keys=51)  # type: ignore[call-arg]
    with pytest.raises(AudeoBenchError, match=r"no feature map 'layer9'; its layers are .*layer4"):
        heat_map(stage, clip, [39], "layer9")
    with pytest.raises(AudeoBenchError, match="models MIDI 36 to 86, not 21"):
        heat_map(stage, clip, [0])


def test_two_contestants_side_by_side(tmp_path: Path) -> None:
    weights = []
    for name in ("video2roll", "resnet"):
        torch.manual_seed(0)
        stage = load_class(find(name))(width=4)  # type: ignore[call-arg]
        stage.save(tmp_path / f"{name}.safetensors")  # type: ignore[attr-defined]
        weights.append(f"{name}={tmp_path / name}.safetensors")
    sounding = np.zeros((88, 40), bool)
    sounding[[39, 43], 10:] = True
    frames = np.random.default_rng(0).integers(0, 255, (40, 100, 900), dtype=np.uint8)
    recording = Recording("one", "One", Work("Nobody", "One"), "wtc2", "simulated", frames, sounding)
    path = tmp_path / "fig3.png"
    found = explain(["video2roll", "resnet"], recording, [1, 39], keys=[39], weights=weights)
    assert list(found.maps) == [1, 39]
    assert list(found.maps[1]) == ["video2roll", "resnet"]
    draw_heat_maps(path, found)
    assert path.stat().st_size > 10_000
    with pytest.raises(AudeoBenchError, match="nothing sounds there"):
        explain(["resnet"], recording, [1], weights=weights[1:])
    with pytest.raises(AudeoBenchError, match="frames 0 to 39"):
        explain(["resnet"], recording, [40], weights=weights[1:])


ENDS = """
import os
import torch
from audeo_bench.nn.stage import StackedFrames

class Net(torch.nn.Module):
    def forward(self, frames):
        os._exit(5)

class Ends(StackedFrames):
    def __init__(self):
        self.options = {"keys": 88, "frame_shape": [50, 450]}
        self.net = Net()
    def load(self, weights):
        pass
"""


def test_a_net_that_ends_its_process_is_one_line(tmp_path: Path) -> None:
    path, weights = tmp_path / "ends.py", tmp_path / "weights" / "ends.safetensors"
    path.write_text(ENDS)
    weights.parent.mkdir()
    weights.touch()
    frames, sounding = np.zeros((8, 100, 900), np.uint8), np.ones((88, 8), bool)
    recording = Recording("one", "One", Work("Nobody", "One"), "wtc2", "simulated", frames, sounding)
    with pytest.raises(
        AudeoBenchError, match=f"^{path}: ends failed: it ended its process with exit code 5.$"
    ):
        explain([str(path)], recording, [3])


def test_the_command_refuses_in_one_line() -> None:
    answer = CliRunner().invoke(app, ["explain", "--system", "resnet", "--frame", "5", "--key", "H9"])
    assert answer.exit_code == 2
    (line,) = answer.stderr.strip().splitlines()
    assert line.startswith("audeo-bench: error: ") and "give a note such as C4" in line
