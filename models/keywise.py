"""Keywise, audeo-bench's own contestant: every key is read from its own columns of the picture.

A net that averages the whole picture before it answers must learn from samples where each key lies. A
keyboard seen from above needs no such search: key k lies at a known share of the crop's width. So a small
residual trunk keeps the columns and only shrinks the height, each key's features are interpolated from the
map at the key's centre and at its two edges, and one classifier, the same for all keys, answers from them and
from its neighbours'. Beside nine frames, its short memory in time, it is shown the keyboard at rest, and the
frames as differences to it: what a net so learns is the change, not the piano. No pooling over the keyboard,
hence few weights.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import KEYS, TrainingContext
from audeo_bench.keyboard import IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH
from audeo_bench.nn.resnet import initialise, stage
from audeo_bench.nn.stage import StackedFrames, keys_of

FRAMES = 9
"""Frames in a stack: the middle one and 160 ms on both sides."""
PLACES = (-0.4, 0.0, 0.4)
"""Where each key is read: left edge, centre, right edge, in widths of a white key from its centre."""


def reading_matrix(columns: int) -> np.ndarray:
    """Linear interpolation from a map's columns to the places of each key: (columns, 3 * 88)."""
    offsets = np.array(PLACES) * WHITE_WIDTH
    where = (KEY_X[None] + offsets[:, None]).ravel() / KEYBOARD_WIDTH * columns - 0.5
    where = np.clip(where, 0, columns - 1)
    return np.maximum(0, 1 - np.abs(where[None] - np.arange(columns)[:, None])).astype(np.float32)


class KeywiseNet(nn.Module):
    """(N, 9 + 1, height, width) in 0..1, the last the keyboard at rest -> (N, keys) logits.

    Full size: width 64, 100x900.
    """

    reading: Tensor
    colour: Tensor

    def __init__(self, width: int = 64, keys: int = 88, frame_shape: tuple[int, int] = (100, 900)) -> None:
        super().__init__()
        # The sizes that the strides below leave of the picture, each rounded up.
        height, columns = -(-frame_shape[0] // 16), -(-frame_shape[1] // 4)
        features = 4 * width
        self.keys = keys_of(keys)
        self.conv1 = nn.Conv2d(FRAMES + 1, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = stage(width, width)
        self.layer2 = stage(width, 2 * width, (2, 1))
        self.layer3 = stage(2 * width, 3 * width, (2, 1))
        self.collapse = nn.Conv2d(3 * width, features, (height, 1), bias=False)
        self.bn2 = nn.BatchNorm2d(features)
        self.register_buffer("reading", torch.from_numpy(reading_matrix(columns)), persistent=False)
        colour = torch.from_numpy(np.stack([IS_BLACK, ~IS_BLACK]).astype(np.float32))
        self.register_buffer("colour", colour, persistent=False)
        self.enter = nn.Conv1d(len(PLACES) * features + len(colour), features, 1)
        self.neighbours = nn.Conv1d(features, features, 3, padding=1)
        self.fc = nn.Conv1d(features, 1, 1)
        initialise(self)

    def forward(self, pictures: Tensor) -> Tensor:
        idle = pictures[:, FRAMES:]
        frames = torch.cat([pictures[:, :FRAMES] - idle, idle], 1)
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(frames))), 3, 2, 1)
        x = self.layer3(self.layer2(self.layer1(x)))
        columns = torch.relu(self.bn2(self.collapse(x)))[:, :, 0]
        read = (columns @ self.reading.to(columns.dtype)).unflatten(2, (len(PLACES), KEYS)).flatten(1, 2)
        read = torch.cat([read, self.colour.to(read.dtype).expand(read.shape[0], -1, -1)], 1)[..., self.keys]
        return self.fc(torch.relu(self.neighbours(torch.relu(self.enter(read)))))[:, 0]


class Keywise(StackedFrames):
    name = "keywise"
    stack, sees_idle = FRAMES, True

    def __init__(self, width: int = 16, keys: int = 88, frame_shape: tuple[int, int] = (50, 450)) -> None:
        self.options = {"width": width, "keys": keys, "frame_shape": list(frame_shape)}
        self.net = KeywiseNet(width, keys, frame_shape)

    def fit(self, context: TrainingContext) -> None:
        from audeo_bench.training.recipes import fit_stacks  # training's libraries take seconds to import

        fit_stacks(self, context)
