"""A net for inference only: each batch norm that follows a convolution becomes part of it."""

from __future__ import annotations

import copy

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def folded(net: nn.Module) -> nn.Module:
    """A copy of ``net`` in eval mode without the batch norms that directly follow a convolution.

    In eval mode a batch norm multiplies and shifts each channel by constants, which the convolution's weights
    and bias take over: the same function but for rounding (within 1e-4), and one pass over memory less for
    each. What follows what is read off the net's traced graph, not guessed from names.

    Parameters
    ----------
    net : nn.Module
        Left as it is. A net that :mod:`torch.fx` cannot trace comes back as an unfolded copy.
    """
    net = copy.deepcopy(net).eval()
    try:
        traced = fx.symbolic_trace(net)
    except (fx.proxy.TraceError, TypeError):  # its forward branches on values, or loops over them
        return net
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], NORMS):
            continue
        before = node.args[0]
        if before.op != "call_module" or len(before.users) > 1:
            continue
        convolution = modules[before.target]
        if not isinstance(convolution, CONVOLUTIONS):
            continue
        transposed = isinstance(convolution, CONVOLUTIONS[3:])
        fused = fuse_conv_bn_eval(convolution, modules[node.target], transpose=transposed)
        traced.set_submodule(before.target, fused)
        modules[before.target] = fused
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced
