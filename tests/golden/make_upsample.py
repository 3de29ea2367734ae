#!/usr/bin/env python3
"""Writes upsample.safetensors beside this script: PyTorch's bilinear Upsample, named as in make_images.py.

    python3 tests/golden/make_upsample.py
"""

import pathlib

import numpy as np
import torch
from make_golden import DTYPES, array, values, write_safetensors
from torch import nn

SHAPES = {"doubled": ((2, 4, 5), 2), "rectangular": ((3, 3, 2), (1, 3)), "single_row": ((1, 1, 4), (4, 5)), "pixel": ((2, 1, 1), 3)}


def upsample():
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(11)
        for name, (shape, factor) in SHAPES.items():
            for align_corners in (False, True):
                layer = nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=align_corners)
                x = values(random, dtype, 3, *shape).requires_grad_()
                y = layer(x)
                dy = values(random, dtype, *y.shape)
                y.backward(dy)
                case = f"{name}{'_aligned' if align_corners else ''}_{suffix}"
                for key, tensor in {"x": x, "dy": dy, "y": y, "dx": x.grad}.items():
                    out[f"{case}.{key}"] = array(tensor.reshape(3, -1))
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_safetensors(pathlib.Path(__file__).with_name("upsample.safetensors"), upsample())
