"""Checkpoints under the release's names load into our contestants; pickles that do more are refused."""

from __future__ import annotations

import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.contestants.loading import find, system
from audeo_bench.contestants.module import load_class
from audeo_bench.contestants.released import released_checkpoints
from audeo_bench.nn import release_checkpoint
from audeo_bench.nn.stage import TorchStage


def stage(name: str, **options: Any) -> TorchStage:
    torch.manual_seed(0)
    return load_class(find(name))(**options)


@pytest.fixture
def video2roll(tmp_path: Path) -> Path:
    """As the release saves it: the state dict itself; a small width, for speed."""
    path = tmp_path / "Video2Roll_models" / "Video2RollNet.pth"
    path.parent.mkdir()
    torch.save(stage("video2roll", width=4, keys=51).net.state_dict(), path)
    return path


@pytest.fixture
def roll2midi(tmp_path: Path) -> Path:
    """As the release saves it: both nets and their optimisers."""
    generator = stage("roll2midi_release", width=4).net
    adam = torch.optim.Adam(generator.parameters(), 5e-4)
    path = tmp_path / "Roll2Midi_models" / "checkpoint-97.tar"
    path.parent.mkdir()
    content = {"epoch": 97, "state_dict_G": generator.state_dict(), "optimizer_G": adam.state_dict()}
    torch.save(content | {"state_dict_D": {}, "optimizer_D": {}}, path)
    return path


def test_a_checkpoint_rebuilds_the_net_to_its_shapes(video2roll: Path) -> None:
    loaded = find("video2roll").create()
    loaded.load(video2roll)
    assert isinstance(loaded, TorchStage)
    assert loaded.options == {"width": 4, "keys": 51, "frame_shape": [100, 900]}
    assert loaded.trained_on == ("audeo/wtc1", "audeo/validation")
    frames = np.random.default_rng(0).integers(0, 256, (3, 100, 900), np.uint8)
    expected = stage("video2roll", width=4, keys=51, frame_shape=(100, 900)).roll(frames)
    np.testing.assert_array_equal(loaded.roll(frames), expected)


def test_names_of_a_net_trained_on_several_devices(video2roll: Path, tmp_path: Path) -> None:
    state = torch.load(video2roll, weights_only=True)
    path = tmp_path / "parallel.pth"
    torch.save(OrderedDict((f"module.{name}", value) for name, value in state.items()), path)
    stage("video2roll").load(path)


def test_the_generator_of_a_roll2midi_checkpoint_refines(roll2midi: Path) -> None:
    loaded = stage("roll2midi_release")
    loaded.load(roll2midi)
    assert loaded.options == {"width": 4, "keys": 51}
    roll = np.random.default_rng(0).random((88, 130)).astype(np.float32)
    refined = loaded.midi(roll)
    assert refined.shape == (88, 130)
    assert not refined[:15].any() and not refined[66:].any()
    # Pieces of 100 frames do not see each other, as in the release.
    np.testing.assert_allclose(refined[:, 100:], loaded.midi(roll[:, 100:]), atol=1e-5)
    np.testing.assert_allclose(refined[:, :100], loaded.midi(roll[:, :100]), atol=1e-5)


def test_weights_are_named_on_the_command_line(video2roll: Path, roll2midi: Path) -> None:
    weights = [f"video2roll={video2roll}", f"roll2midi_release={roll2midi}"]
    chain = system("video2roll+roll2midi_release", weights)
    assert [type(contestant.load()).__name__ for contestant in chain.stages] == [
        "Video2Roll",
        "Roll2MidiRelease",
    ]


def test_import_release_says_what_each_checkpoint_is_for(
    video2roll: Path, roll2midi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDEO_BENCH_DATA", str(tmp_path / "data home"))
    assert [(c.path, c.contestant) for c in released_checkpoints(tmp_path)] == [
        (roll2midi, "roll2midi_release"),
        (video2roll, "video2roll"),
    ]
    answer = CliRunner().invoke(app, ["import-release", str(tmp_path)])
    assert answer.exit_code == 0
    assert f"--weights video2roll={video2roll}" in answer.stdout


@pytest.mark.parametrize("name", ["resnet", "keywise", "roll2midi"])
def test_nets_that_were_not_released_take_no_checkpoint(name: str, video2roll: Path) -> None:
    with pytest.raises(AudeoBenchError, match="released no weights"):
        stage(name).load(video2roll)


def test_a_checkpoint_of_the_other_net_is_refused(video2roll: Path, roll2midi: Path) -> None:
    with pytest.raises(
        AudeoBenchError, match=r"Video2RollNet\.pth: weights of another net than roll2midi_release"
    ):
        stage("roll2midi_release").load(video2roll)
    with pytest.raises(AudeoBenchError, match=r"checkpoint-97\.tar: weights of another net than video2roll"):
        stage("video2roll").load(roll2midi)


class Attack:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


def test_a_malicious_checkpoint_is_refused_and_its_code_never_runs(tmp_path: Path) -> None:
    path, mark = tmp_path / "evil.pth", tmp_path / "attacked"
    torch.save({"conv1.weight": torch.zeros(4), "fc.bias": Attack(mark)}, path)
    with pytest.raises(AudeoBenchError, match=r"evil\.pth: refused, it asks for (posix|nt)\.system"):
        stage("video2roll").load(path)
    refused = CliRunner().invoke(app, ["import-release", str(tmp_path)])
    assert refused.exit_code == 2
    assert not mark.exists()


def test_a_bomb_a_pipe_and_a_nest_are_named(
    video2roll: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_checkpoint, "LIMIT", 2**26)
    bomb, pipe, nest = (tmp_path / f"{name}.pth" for name in ("bomb", "pipe", "nest"))
    with zipfile.ZipFile(video2roll) as whole, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in whole.namelist():
            packed.writestr(name, whole.read(name))
        with packed.open("archive/data/bomb", "w", force_zip64=True) as member:
            member.write(bytes(2**26))
    os.mkfifo(pipe)
    # A key nested so deeply that to hash it ends the process.
    with zipfile.ZipFile(video2roll) as whole, zipfile.ZipFile(nest, "w") as packed:
        for name in whole.namelist():
            deep = b"\x80\x02}N" + b"\x85" * 10**5 + b"Ns."
            packed.writestr(name, deep if name.endswith(".pkl") else whole.read(name))
    for path, words in ((bomb, "when unpacked"), (pipe, "is a pipe"), (nest, "more than 20,000 tuples")):
        with pytest.raises(AudeoBenchError, match=rf"{path.name}: .*{words}"):
            stage("video2roll").load(path)


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs", b"PK\x03\x04 cut short"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.pth"
    path.write_bytes(content)
    with pytest.raises(AudeoBenchError, match=r"cut\.pth"):
        stage("video2roll").load(path)
