"""What torch contestants share: weights as safetensors that know what they are, and the five-frame answer
loop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from audeo_bench.api import KEYS, PAPER_KEYS, AudeoBenchError, Frames, RollToMidi, Stage, VideoToRoll
from audeo_bench.files import atomic_write
from audeo_bench.formats.text import parse_json
from audeo_bench.formats.weights import describe_weights, read_weights
from audeo_bench.nn.folding import folded
from audeo_bench.nn.frames import STACK, idle_picture, shrink, stack_indices, to_unit
from audeo_bench.nn.release_checkpoint import RELEASE_SUFFIXES, read_release_checkpoint
from audeo_bench.nn.winograd import with_winograd

REMEDY = "train it again or copy it again"
READ, BATCH = 128, 8
"""Frames read at once, so that few are read twice; stacks answered at once, so that maps fit a cache."""


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def channels_last(net: nn.Module) -> nn.Module:
    """The memory layout in which convolutions are fastest, on processors and accelerators alike."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def keys_of(count: int) -> slice:
    """The key indices that a net with ``count`` outputs models: the paper's 51, or all 88."""
    if count == KEYS:
        return slice(0, KEYS)
    if count == PAPER_KEYS.stop - PAPER_KEYS.start:
        return PAPER_KEYS
    raise AudeoBenchError(f"keys={count}: a net models 51 keys (indices 15..65, as the paper) or all 88.")


def as_stored(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters as they are kept: float16, but float32 where that cannot hold a value (beyond 65504)."""
    kept = {}
    for name, value in state.items():
        value = value.detach().cpu()
        if value.is_floating_point():
            half = value.half()
            value = half if torch.equal(half.isfinite(), value.isfinite()) else value.float()
        kept[name] = value.clone(memory_format=torch.contiguous_format)
    return kept


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its header in a fixed order; the library writes metadata in a random one."""
    size = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


class TorchStage(Stage):
    """A stage whose answer comes from ``self.net``, built from ``self.options`` alone.

    A subclass's ``__init__`` takes only JSON values by keyword, keeps them in ``self.options`` and builds
    ``self.net``.
    """

    net: nn.Module
    options: dict[str, Any]
    chosen_on: Sequence[str] = ()
    """Whose validation recordings chose the checkpoint, where it is not the corpora that were trained on."""
    smoke: bool = False
    """Whether it was only tried if it trains; such weights are for no board."""

    @classmethod
    def release_options(cls, state: Mapping[str, Tensor]) -> dict[str, Any]:
        """The options under which the net takes a checkpoint of the authors' release, read off its shapes.

        Raises
        ------
        KeyError
            The checkpoint is of another net.
        """
        raise AudeoBenchError(f"{cls.name}: the authors released no weights for this net.")

    def inference_net(self, device: torch.device) -> nn.Module:
        """A copy of the net for answering: in eval mode on ``device``, the same function at less cost.

        Batch norms are folded, channels come last, and a processor convolves by Winograd's algorithm where
        that pays (not at reduced precision, which it would lose). Made anew at each call, which costs far
        less than one window, so that it is never out of date while the net trains.
        """
        net = folded(self.net)
        if device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            net = with_winograd(net)
        return channels_last(net).to(device)

    def load(self, weights: Path) -> None:
        """Read a safetensors file written by :meth:`save`, or a PyTorch checkpoint of the authors' release.

        The net is rebuilt to the options that the file names, or that the release's shapes imply.
        """
        if weights.suffix in RELEASE_SUFFIXES:
            self._load_release(weights)
            return
        facts, shapes = describe_weights(weights, remedy=REMEDY)
        if facts.get("contestant") != self.name:
            found = facts.get("contestant", "an unnamed net")
            raise AudeoBenchError(
                f"{weights}: holds weights of {found}, but {self.name} was asked to load them."
            )
        options, trained_on, chosen_on = (
            parse_json(facts.get(key, missing), f"{weights}: its {key}", remedy=REMEDY)
            for key, missing in (("options", "null"), ("trained_on", "null"), ("chosen_on", "[]"))
        )
        if (
            not isinstance(options, dict)
            or not isinstance(trained_on, list)
            or not isinstance(chosen_on, list)
        ):
            raise AudeoBenchError(f"{weights}: does not say how its net is built; {REMEDY}.")
        self._rebuild(weights, options, shapes)
        self._take(weights, read_weights(weights, remedy=REMEDY))
        self.trained_on, self.chosen_on = tuple(map(str, trained_on)), tuple(map(str, chosen_on))
        self.smoke = "smoke" in facts

    def _rebuild(self, weights: Path, options: dict[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Build the net anew, first without memory: options of any size stand in a stranger's file."""
        try:
            with suppress(NotImplementedError), torch.device("meta"):
                net = type(self)(**options).net
                expected = {name: tuple(value.shape) for name, value in net.state_dict().items()}
                differ = sorted({name for name, _ in expected.items() ^ shapes.items()})
                if differ:
                    raise ValueError(f"{differ[0]} and {len(differ) - 1} more are of other shapes")
            type(self).__init__(self, **options)
        except (TypeError, ValueError, RuntimeError, KeyError, IndexError, AudeoBenchError) as fault:
            first = (str(fault) or type(fault).__name__).splitlines()[0]
            raise AudeoBenchError(
                f"{weights}: weights of another architecture than {self.name}: {first[:200]}"
            ) from fault

    def _load_release(self, weights: Path) -> None:
        state = read_release_checkpoint(weights)
        try:
            options = self.release_options(state)
        except KeyError as fault:
            raise AudeoBenchError(
                f"{weights}: weights of another net than {self.name}: no {fault}."
            ) from fault
        type(self).__init__(self, **options)
        self._take(weights, state)
        self.trained_on = ("audeo/wtc1", "audeo/validation")

    def _take(self, weights: Path, state: Mapping[str, Tensor]) -> None:
        try:
            self.net.load_state_dict(state)
        except RuntimeError as fault:
            first = str(fault).splitlines()[1].strip() if "\n" in str(fault) else str(fault)
            raise AudeoBenchError(
                f"{weights}: weights of another architecture than {self.name}: {first}"
            ) from fault
        self.net.eval()

    def save(self, weights: Path) -> None:
        """Write the net as safetensors with what is needed to rebuild it; equal nets give equal bytes."""
        metadata = {
            "contestant": self.name,
            "options": json.dumps(self.options, sort_keys=True),
            "trained_on": json.dumps(list(self.trained_on)),
        }
        if self.chosen_on:
            metadata["chosen_on"] = json.dumps(list(self.chosen_on))
        if self.smoke:
            metadata["smoke"] = "true"
        with atomic_write(weights) as temporary:
            temporary.write_bytes(_in_order(save(as_stored(self.net.state_dict()), metadata)))

    def describe(self) -> dict[str, Any]:
        facts = {"parameters": sum(p.numel() for p in self.net.parameters()), **self.options}
        chosen = {"chosen_on": list(self.chosen_on)} if self.chosen_on else {}
        return {**facts, **chosen, **({"smoke": True} if self.smoke else {})}


class StackedFrames(TorchStage, VideoToRoll):
    """A net that answers for the middle of stacked frames: (N, stack, height, width) -> (N, keys) logits.

    ``options`` must hold ``keys`` (51 or 88) and ``frame_shape`` (height, width). ``net.fc``, its last layer,
    has a bias for each key.

    Attributes
    ----------
    stack : int
        Frames that the net is shown: five, as in the paper, unless a class says otherwise.
    sees_idle : bool
        Whether the keyboard at rest is given behind the frames, as one picture more.
    """

    stack: ClassVar[int] = STACK
    sees_idle: ClassVar[bool] = False

    @torch.inference_mode()
    def roll(self, frames: Frames) -> np.ndarray:
        total, shape = len(frames), tuple(self.options["frame_shape"])
        answer = np.zeros((KEYS, total), np.float32)
        device = default_device()
        net = self.inference_net(device)
        idle = None
        if self.sees_idle and total:
            idle = to_unit(idle_picture(frames, shape)[None, None], device)
        for start in range(0, total, READ):
            middle = np.arange(start, min(start + READ, total))
            indices = stack_indices(middle, total, self.stack)
            low = indices.min()
            small = to_unit(shrink(np.asarray(frames[low : indices.max() + 1]), shape), device)
            for chosen, batch in zip(_batches(middle), _batches(indices - low), strict=True):
                stacks = small[torch.from_numpy(batch).to(device)]
                if idle is not None:
                    stacks = torch.cat([stacks, idle.expand(len(stacks), -1, -1, -1)], 1)
                logits = net(stacks.contiguous(memory_format=torch.channels_last))
                answer[keys_of(logits.shape[1]), chosen] = torch.sigmoid(logits).T.float().cpu().numpy()
        return answer


class RollRefiner(TorchStage, RollToMidi):
    """A roll-to-MIDI stage whose net maps (N, 1, keys, T) probabilities to the same shape.

    ``options`` must hold ``keys`` (51 or 88).
    """


def _batches(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
