"""Weights: what a file says of its net is judged before any memory is taken for it."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.weights import describe_weights, read_weights
from audeo_bench.nn.stage import TorchStage


def keywise(**options: object) -> TorchStage:
    return load_class(find("keywise"))(**options)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "keywise.safetensors"
    keywise(width=2).save(path)
    return path


def with_facts(saved: Path, path: Path, **facts: str | None) -> Path:
    """The same tensors under other metadata; None leaves one out."""
    described = describe_weights(saved, remedy="")
    merged = {key: value for key, value in (described.facts | facts).items() if value is not None}
    save_file(read_weights(saved, remedy=""), path, merged)
    return path


def test_what_was_saved_loads(saved: Path) -> None:
    net = keywise()
    net.load(saved)
    assert net.options["width"] == 2
    described = describe_weights(saved, remedy="")
    assert described.shapes == {name: tuple(v.shape) for name, v in net.net.state_dict().items()}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"contestant": None}, "holds weights of an unnamed net"),
        ({"contestant": "resnet"}, "holds weights of resnet"),
        ({"options": None}, "does not say how its net is built"),
        ({"options": "[]"}, "does not say how its net is built"),
        ({"options": "{"}, "not the JSON that is expected"),
        ({"options": "[" * 10_000}, "nested too deeply"),
        ({"trained_on": "5"}, "does not say how its net is built"),
        ({"options": '{"surprise": 1}'}, "surprise"),
        ({"options": '{"width": "two"}'}, "weights of another architecture"),
        ({"options": '{"width": -1}'}, "weights of another architecture"),
        ({"options": '{"width": 40000}'}, "of other shapes"),
        ({"options": '{"width": 1' + "0" * 400 + "}"}, "of 401 digits"),
    ],
)
def test_other_metadata_is_one_line_and_takes_no_memory(
    saved: Path, tmp_path: Path, facts: dict[str, str | None], words: str
) -> None:
    path = with_facts(saved, tmp_path / "a.safetensors", **facts)
    tracemalloc.start()
    with pytest.raises(AudeoBenchError) as refused:
        keywise().load(path)
    tracemalloc.stop()
    assert str(refused.value).startswith(f"{path}: ")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_tensors_too_many_or_of_other_shapes_are_one_line(saved: Path, tmp_path: Path) -> None:
    described, tensors = describe_weights(saved, remedy=""), read_weights(saved, remedy="")
    save_file(tensors | {"more": torch.zeros(3)}, tmp_path / "a.safetensors", described.facts)
    with pytest.raises(AudeoBenchError, match=r"a\.safetensors: .*more and 0 more are of other shapes"):
        keywise().load(tmp_path / "a.safetensors")


def headed(header: dict[str, object], content: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version https://git-lfs",
        (2**62).to_bytes(8, "little") + b"{}",
        headed({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}),
        headed({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, b"1234"),
        headed({"a": {"dtype": "objects", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
        headed({"__metadata__": {"contestant": 5}}),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(AudeoBenchError, match=r"a\.safetensors: not a readable safetensors file"):
        keywise().load(path)


def test_a_pipe_is_no_weights(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(AudeoBenchError, match="is a pipe"):
        keywise().load(tmp_path / "a.safetensors")


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_file_loads_or_is_one_line(saved: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, 1200))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    try:
        keywise().load(path)
    except AudeoBenchError as fault:
        assert str(fault).startswith(f"{path}: ")
