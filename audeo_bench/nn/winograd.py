"""3x3 convolutions in a quarter of the multiplications, for answering on a processor.

Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray, "Fast algorithms for convolutional neural networks",
CVPR 2016): a tile of 4x4 results takes 36 multiplications instead of 144. The result is the convolution's but
for rounding of about 1e-5 of its size. PyTorch has it on accelerators by itself, on processors it has not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TILE, READ = 4, 6
"""Results on a tile's side, and the pixels on its side that they need."""
FEWEST_CHANNELS = 128
"""Below, tiling costs about what it saves."""
TILES_AT_ONCE = 128
"""So many that weights are read seldom, so few that what is made of them stays in the cache."""
MOST_WASTE = 1.5
"""Results computed, those beyond the edge included, over those wanted; above, plain convolution is faster."""

INPUT = torch.tensor(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=torch.float64,
)
KERNEL = (
    torch.tensor(
        [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], dtype=torch.float64
    )
    / torch.tensor([24, 24, 24, 24, 24, 24])[:, None]
)
OUTPUT = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], dtype=torch.float64
)
EVERYWHERE = READ + 1
"""The product that enters all results of a tile once (a column of ``OUTPUT`` is ones): it takes the bias."""


class WinogradConv2d(nn.Module):
    """In place of a 3x3 convolution of stride 1: (N, C, h, w) -> (N, K, h', w'), channels last."""

    weight: Tensor
    input: Tensor
    output: Tensor

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__()
        self.plain = plain
        self.padding = int(plain.padding[0])
        weight = torch.einsum("ai,bj,kcij->abck", KERNEL, KERNEL, plain.weight.detach().double())
        self.register_buffer("weight", weight.flatten(0, 1).to(plain.weight.dtype).contiguous())
        # Both sides of a tile at once: one multiplication by a 36x36 matrix is faster than two passes.
        self.register_buffer("input", torch.kron(INPUT, INPUT).to(plain.weight.dtype))
        self.register_buffer("output", torch.kron(OUTPUT, OUTPUT).to(plain.weight.dtype))

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        height, width = height + 2 * self.padding - 2, width + 2 * self.padding - 2
        tiles = -(-height // TILE) * -(-width // TILE)
        if tiles * TILE**2 > MOST_WASTE * height * width:
            return self.plain(x)
        shape = (n, self.plain.out_channels, height, width)
        answer = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        images = max(1, TILES_AT_ONCE // tiles)
        for start in range(0, n, images):
            answer[start : start + images] = self._convolve(x[start : start + images], height, width)
        return answer

    def _convolve(self, x: Tensor, height: int, width: int) -> Tensor:
        n, channels = x.shape[:2]
        rows, columns = -(-height // TILE), -(-width // TILE)
        right, below = columns * TILE - width + self.padding, rows * TILE - height + self.padding
        pixels = F.pad(x.permute(0, 2, 3, 1), (0, 0, self.padding, right, self.padding, below))
        tiles = pixels.unfold(1, READ, TILE).unfold(2, READ, TILE)  # (n, rows, columns, channels, 6, 6)
        tiles = tiles.permute(4, 5, 0, 1, 2, 3).reshape(READ**2, -1)
        read = (self.input @ tiles).view(READ**2, -1, channels)
        product = torch.bmm(read, self.weight)  # (36, tiles, K)
        if self.plain.bias is not None:
            product[EVERYWHERE] += self.plain.bias
        results = (self.output @ product.flatten(1)).view(TILE, TILE, n, rows, columns, -1)
        laid = results.permute(2, 3, 0, 4, 1, 5).reshape(n, rows * TILE, columns * TILE, -1)
        return laid[:, :height, :width].permute(0, 3, 1, 2)


def with_winograd(net: nn.Module) -> nn.Module:
    """Replace the convolutions of ``net`` that gain by it, in place."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and _gains(child):
                setattr(module, name, WinogradConv2d(child))
    return net


def _gains(convolution: nn.Conv2d) -> bool:
    return (
        convolution.kernel_size == (3, 3)
        and convolution.stride == (1, 1)
        and convolution.dilation == (1, 1)
        and convolution.groups == 1
        and convolution.padding in ((0, 0), (1, 1))
        and convolution.padding_mode == "zeros"
        and min(convolution.in_channels, convolution.out_channels) >= FEWEST_CHANNELS
    )
