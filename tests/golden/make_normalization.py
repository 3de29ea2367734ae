#!/usr/bin/env python3
"""Writes normalization.safetensors beside this script: BatchNorm1d, BatchNorm2d and LayerNorm in PyTorch.

    python3 tests/golden/make_normalization.py

Three training steps with plain gradient descent (lr 0.1) and the batches x<k>, dy<k>, then evaluation of x2 with dy2.
Images are flattened: rows are (channels * height * width).
"""

import pathlib

import numpy as np
import torch
from torch import nn

from make_golden import DTYPES, array, values, write_safetensors

CASES = {
    "batch_norm_1d": (lambda: nn.BatchNorm1d(5), (6, 5)),
    "batch_norm_1d_plain": (lambda: nn.BatchNorm1d(5, affine=False, eps=1e-3), (6, 5)),
    "batch_norm_1d_average": (lambda: nn.BatchNorm1d(5, momentum=None), (6, 5)),
    "batch_norm_1d_untracked": (lambda: nn.BatchNorm1d(5, track_running_stats=False), (6, 5)),
    "batch_norm_2d": (lambda: nn.BatchNorm2d(3, momentum=0.3), (4, 3, 2, 3)),
    "layer_norm": (lambda: nn.LayerNorm(5), (6, 5)),
    "layer_norm_plain": (lambda: nn.LayerNorm(5, elementwise_affine=False), (6, 5)),
    "layer_norm_images": (lambda: nn.LayerNorm((3, 2, 2)), (4, 3, 2, 2)),
}


def flat(tensor):
    return array(tensor).reshape(len(tensor), -1)


def normalization():
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(7)
        for name, (make, shape) in CASES.items():
            layer = make().to(dtype)
            with torch.no_grad():
                for parameter in layer.parameters():
                    parameter.copy_(values(random, dtype, *parameter.shape))
            case = f"{name}_{suffix}"
            for parameter, tensor in layer.named_parameters():
                out[f"{case}.start.{parameter}"] = array(tensor)
            optimizer = torch.optim.SGD(layer.parameters(), lr=0.1) if list(layer.parameters()) else None
            scale = torch.linspace(0.5, 3, shape[1], dtype=dtype).reshape(1, -1, *[1] * (len(shape) - 2))

            def go(x, dy, key):
                x.requires_grad_()
                layer.zero_grad()
                y = layer(x)
                y.backward(dy)
                out[f"{case}.{key}y"], out[f"{case}.{key}dx"] = flat(y), flat(x.grad)
                for parameter, tensor in layer.named_parameters():
                    out[f"{case}.{key}d{parameter}"] = array(tensor.grad)

            for step in range(3):
                x, dy = values(random, dtype, *shape) * scale + scale, values(random, dtype, *shape)
                out[f"{case}.x{step}"], out[f"{case}.dy{step}"] = flat(x), flat(dy)
                go(x, dy, f"{step}.")
                if optimizer:
                    optimizer.step()
            for parameter, tensor in layer.state_dict().items():
                out[f"{case}.end.{parameter}"] = array(tensor)
            layer.eval()
            go(x.detach().clone(), dy, "eval.")
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = pathlib.Path(__file__).with_name("normalization.safetensors")
    write_safetensors(path, normalization())
    print(f"{path.name}: {path.stat().st_size} bytes")
