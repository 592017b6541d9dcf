"""What torch contestants share: weights as safetensors that know what they are, and the five-frame answer
loop.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from audeo_bench.api import KEYS, PAPER_KEYS, AudeoBenchError, Frames, Stage, VideoToRoll
from audeo_bench.files import atomic_write
from audeo_bench.nn.frames import shrink, stack_indices, to_unit


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


class TorchStage(Stage):
    """A stage whose answer comes from ``self.net``, built from ``self.options`` alone.

    A subclass's ``__init__`` takes only JSON values by keyword, keeps them in ``self.options`` and builds
    ``self.net``.
    """

    net: nn.Module
    options: dict[str, Any]

    def load(self, weights: Path) -> None:
        """Read a safetensors file written by :meth:`save`, rebuilding the net to the options that it names."""
        try:
            with safe_open(weights, "pt") as file:
                facts = file.metadata() or {}
                names = list(file.keys())
                tensors = {name: file.get_tensor(name) for name in names}
        except (SafetensorError, OSError) as fault:
            raise AudeoBenchError(f"{weights}: not a readable safetensors file ({fault}).") from fault
        if facts.get("contestant") != self.name:
            found = facts.get("contestant", "an unnamed net")
            raise AudeoBenchError(
                f"{weights}: holds weights of {found}, but {self.name} was asked to load them."
            )
        type(self).__init__(self, **json.loads(facts["options"]))
        try:
            self.net.load_state_dict(tensors)
        except RuntimeError as fault:
            first = str(fault).splitlines()[1].strip() if "\n" in str(fault) else str(fault)
            raise AudeoBenchError(
                f"{weights}: weights of another architecture than {self.name}: {first}"
            ) from fault
        self.trained_on = tuple(json.loads(facts["trained_on"]))
        self.net.eval()

    def save(self, weights: Path, **facts: str) -> None:
        """Write the net as float16 safetensors with what is needed to rebuild it; atomic."""
        tensors = {
            name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
            for name, value in self.net.state_dict().items()
        }
        metadata = {
            "contestant": self.name,
            "options": json.dumps(self.options, sort_keys=True),
            "trained_on": json.dumps(list(self.trained_on)),
            **facts,
        }
        with atomic_write(weights) as temporary:
            save_file(tensors, temporary, metadata)

    def describe(self) -> dict[str, Any]:
        return {"parameters": sum(p.numel() for p in self.net.parameters()), **self.options}


class StackedFrames(TorchStage, VideoToRoll):
    """A net that answers for the middle of five stacked frames: (N, 5, height, width) -> (N, keys) logits.

    ``options`` must hold ``keys`` (51 or 88) and ``frame_shape`` (height, width).
    """

    @torch.inference_mode()
    def roll(self, frames: Frames) -> np.ndarray:
        total, shape = len(frames), tuple(self.options["frame_shape"])
        answer = np.zeros((KEYS, total), np.float32)
        device = default_device()
        net = channels_last(self.net).to(device).eval()
        for start in range(0, total, 128):
            middle = np.arange(start, min(start + 128, total))
            indices = stack_indices(middle, total)
            low = indices.min()
            small = shrink(np.asarray(frames[low : indices.max() + 1]), shape)
            stacks = to_unit(small, device)[torch.from_numpy(indices - low).to(device)]
            logits = net(stacks.contiguous(memory_format=torch.channels_last))
            answer[keys_of(logits.shape[1]), middle] = torch.sigmoid(logits).T.float().cpu().numpy()
        return answer
