#!/usr/bin/env python3
"""Writes images.safetensors beside this script: PyTorch's results for the layers of images, see make_golden.py.

    python3 tests/golden/make_images.py

<case>_<dtype>.x, .dy -> .y, .dx and, for convolutions, .weight, .bias -> .dweight, .dbias. Images are rows, and
weights matrices whose rows are the first axis.
"""

import pathlib

import numpy as np
import torch
from make_golden import DTYPES, array, values, write_safetensors
from torch import nn

CASES = {
    "conv2d": ((1, 5, 6), lambda: nn.Conv2d(1, 3, 3)),
    "conv2d_padded": ((2, 5, 5), lambda: nn.Conv2d(2, 4, 3, padding=1)),
    "conv2d_stride_2": ((3, 6, 7), lambda: nn.Conv2d(3, 5, 3, stride=2, padding=1)),
    "conv2d_rectangular": ((2, 7, 5), lambda: nn.Conv2d(2, 3, (2, 3), stride=(3, 1), padding=(0, 1))),
    "conv2d_pixel": ((2, 5, 5), lambda: nn.Conv2d(2, 3, 1, stride=2, bias=False)),
    "conv2d_4": ((2, 6, 6), lambda: nn.Conv2d(2, 18, 4, stride=2, padding=1)),
    "conv2d_border": ((1, 3, 3), lambda: nn.Conv2d(1, 2, 3, padding=4)),
    "conv_transpose2d": ((3, 4, 4), lambda: nn.ConvTranspose2d(3, 2, 3)),
    "conv_transpose2d_doubling": ((3, 3, 4), lambda: nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1)),
    "conv_transpose2d_4": ((2, 3, 3), lambda: nn.ConvTranspose2d(2, 3, 4, stride=2, padding=1, bias=False)),
    "conv_transpose2d_gaps": ((2, 3, 3), lambda: nn.ConvTranspose2d(2, 3, 2, stride=3, output_padding=2)),
    "conv_transpose2d_rectangular": (
        (18, 3, 2),
        lambda: nn.ConvTranspose2d(18, 2, (3, 2), stride=(1, 2), padding=(2, 0), output_padding=(0, 1)),
    ),
    "conv2d_narrowing": ((5, 4, 5), lambda: nn.Conv2d(5, 2, (3, 2), padding=1)),
    "conv_transpose2d_widening": ((2, 4, 5), lambda: nn.ConvTranspose2d(2, 20, (2, 3), padding=1)),
    "max_pool2d": ((2, 4, 6), lambda: nn.MaxPool2d(2)),
    "max_pool2d_odd": ((2, 5, 7), lambda: nn.MaxPool2d(2)),
    "max_pool2d_overlapping": ((2, 5, 6), lambda: nn.MaxPool2d(3, stride=2, padding=1)),
    "max_pool2d_rectangular": ((1, 5, 6), lambda: nn.MaxPool2d((1, 3), stride=(2, 1))),
    "avg_pool2d": ((2, 4, 6), lambda: nn.AvgPool2d(2)),
    "avg_pool2d_overlapping": ((2, 5, 6), lambda: nn.AvgPool2d(3, stride=2, padding=1)),
    "upsample": ((2, 2, 3), lambda: nn.Upsample(scale_factor=2)),
    "upsample_rectangular": ((2, 2, 3), lambda: nn.Upsample(scale_factor=(1, 3))),
}


def images():
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(5)
        torch.manual_seed(5)
        for name, (shape, make) in CASES.items():
            layer = make().to(dtype)
            x = values(random, dtype, 3, *shape)
            if "pool" in name:
                x = torch.round(2 * x) / 2  # equal values, of which the first is the maximum
            x.requires_grad_()
            y = layer(x)
            dy = values(random, dtype, *y.shape)
            y.backward(dy)
            for key, tensor in {"x": x, "dy": dy, "y": y, "dx": x.grad}.items():
                out[f"{name}_{suffix}.{key}"] = array(tensor.reshape(3, -1))
            for key, tensor in layer.named_parameters():
                for full, value in {key: tensor, f"d{key}": tensor.grad}.items():
                    out[f"{name}_{suffix}.{full}"] = array(value.reshape(len(value), -1) if key == "weight" else value)
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_safetensors(pathlib.Path(__file__).with_name("images.safetensors"), images())
