"""Nets are rewritten for answering: the same function but for rounding, at less cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from audeo_bench.contestants.loading import find
from audeo_bench.contestants.module import load_class
from audeo_bench.nn.folding import folded
from audeo_bench.nn.stage import TorchStage
from audeo_bench.nn.winograd import WinogradConv2d, with_winograd


def trained_looking(net: nn.Module) -> nn.Module:
    """Batch norms with statistics of their own, which fresh ones have not."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net.eval()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("video2roll", (2, 5, 50, 450)),
        ("resnet", (2, 5, 50, 450)),
        ("resnet_aggregation_slope", (1, 5, 50, 450)),
        ("roll2midi", (2, 1, 51, 64)),
        ("roll2midi_release", (2, 1, 51, 30)),
    ],
)
@torch.inference_mode()
def test_folding_changes_no_answer(name: str, shape: tuple[int, ...]) -> None:
    stage = load_class(find(name))(width=4)
    assert isinstance(stage, TorchStage)
    net = trained_looking(stage.net)
    given = torch.rand(shape)
    fast = folded(net)
    before = sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    np.testing.assert_allclose(fast(given), net(given), atol=1e-5)
    assert sum(isinstance(module, nn.BatchNorm2d) for module in fast.modules()) <= 1
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == before > 1


def test_a_batch_norm_that_two_convolutions_share_their_input_with_is_left() -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps = self.conv(x)
            return self.bn(maps) + maps  # the convolution's own result is needed too

    net = trained_looking(Branching())
    given = torch.rand(1, 2, 4, 4)
    np.testing.assert_allclose(folded(net)(given).detach(), net(given).detach(), atol=1e-6)


def test_a_net_that_cannot_be_traced_answers_as_it_is() -> None:
    class Deciding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps = self.bn(self.conv(x))
            return maps if maps.sum() > 0 else -maps

    net = trained_looking(Deciding())
    given = torch.rand(1, 1, 4, 4)
    np.testing.assert_array_equal(folded(net)(given).detach(), net(given).detach())


@given(
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0, 1]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
@torch.inference_mode()
def test_winograd_is_the_convolution(n: int, height: int, width: int, padding: int, bias: bool) -> None:
    torch.manual_seed(n)
    plain = nn.Conv2d(8, 12, 3, padding=padding, bias=bias)
    given = torch.rand(n, 8, height + 2, width + 2)
    np.testing.assert_allclose(WinogradConv2d(plain)(given), plain(given), atol=2e-5)


def test_only_wide_3x3_convolutions_of_stride_one_are_replaced() -> None:
    net = nn.Sequential(
        nn.Conv2d(128, 128, 3, padding=1),
        nn.Conv2d(128, 128, 3, 2, padding=1),
        nn.Conv2d(128, 128, 1),
        nn.Conv2d(128, 64, 3, padding=1),
        nn.Conv2d(128, 128, 3, padding=1, groups=2),
    )
    with_winograd(net)
    assert [isinstance(module, WinogradConv2d) for module in net] == [True, False, False, False, False]


def test_the_net_for_answering_follows_the_training() -> None:
    stage = load_class(find("video2roll"))(width=4)
    frames = np.random.default_rng(0).integers(0, 256, (7, 50, 450), np.uint8)
    before = stage.roll(frames)
    with torch.no_grad():
        stage.net.fc.bias += 1
    assert (stage.roll(frames)[15:66] > before[15:66]).all()


def test_the_size_of_batches_does_not_change_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from audeo_bench.nn import stage as module

    stage = load_class(find("video2roll"))(width=4)
    frames = np.random.default_rng(0).integers(0, 256, (23, 50, 450), np.uint8)
    whole = stage.roll(frames)
    monkeypatch.setattr(module, "READ", 10)
    monkeypatch.setattr(module, "BATCH", 3)
    np.testing.assert_allclose(stage.roll(frames), whole, atol=1e-5)


def test_relu_and_maximum_change_places_without_changing_what_others_read() -> None:
    class Pooling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps = self.conv(x)
            kept = torch.relu(maps)  # not in place: the maps are read again
            pooled = nn.functional.max_pool2d(torch.relu(maps + 1), 2)
            return pooled.sum() + kept.sum() + maps.sum()

    net, given = Pooling(), torch.randn(1, 1, 6, 6)
    fast = folded(net)
    code = fast.code  # type: ignore[union-attr]
    assert code.index("max_pool2d") < code.index("relu_(")
    np.testing.assert_allclose(fast(given).detach(), net(given).detach(), rtol=1e-6)
