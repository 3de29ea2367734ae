#!/usr/bin/env python3
"""Writes autoencoders.safetensors beside this script: losses and gradients of small autoencoders from PyTorch's autograd.

    python3 tests/golden/make_autoencoder_golden.py

The Jacobians of the contractive penalty come from torch.autograd, not from the closed form that the library uses.
"""

import pathlib

import numpy as np
import torch
from make_golden import DTYPES, array, one, values, write_safetensors
from torch import nn
from torch.nn import functional as F

FEATURES, CODE, ROWS = 6, 4, 5


def l1(encoder, x, code):
    return 0.03 * code.abs().sum() / len(x)


def kl(encoder, x, code):
    rho, mean = 0.05, code.mean(0)
    return 0.3 * (rho * torch.log(rho / mean) + (1 - rho) * torch.log((1 - rho) / (1 - mean))).sum()


def contractive(encoder, x, code):
    total = 0
    for row in x:
        jacobian = torch.autograd.functional.jacobian(encoder, row[None], create_graph=True)
        total = total + (jacobian**2).sum()
    return 0.2 * total / len(x)


class TopK(nn.Module):
    def forward(self, x):
        top = torch.topk(x, 2, dim=1)
        return torch.zeros_like(x).scatter(1, top.indices, top.values)


class Tied(nn.Module):
    """6-5-3-5-6, the decoder with the transposed weights of the encoder."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(FEATURES, 5), nn.Tanh(), nn.Linear(5, 3), nn.Sigmoid())
        self.decoder = nn.ModuleDict({str(2 * i): nn.Module() for i in range(2)})
        for i, width in enumerate((5, FEATURES)):
            self.decoder[str(2 * i)].bias = nn.Parameter(torch.linspace(-0.3, 0.4, width))

    def decode(self, code):
        hidden = torch.tanh(F.linear(code, self.encoder[2].weight.t(), self.decoder["0"].bias))
        return torch.sigmoid(F.linear(hidden, self.encoder[0].weight.t(), self.decoder["2"].bias))


class Plain(nn.Module):
    def __init__(self, *code):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(FEATURES, CODE), *code)
        self.decoder = nn.Sequential(nn.Linear(CODE, FEATURES), nn.Sigmoid())

    def decode(self, code):
        return self.decoder(code)


CASES = {
    "l1": (lambda: Plain(nn.Tanh()), l1),
    "kl": (lambda: Plain(nn.Sigmoid()), kl),
    "contractive_sigmoid": (lambda: Plain(nn.Sigmoid()), contractive),
    "contractive_tanh": (lambda: Plain(nn.Tanh()), contractive),
    "topk": (lambda: Plain(TopK()), None),
    "tied": (Tied, None),
}


def autoencoders():
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(5)
        torch.manual_seed(5)
        x = values(random, dtype, ROWS, FEATURES, low=0, high=1)
        out[f"x_{suffix}"] = array(x)
        for name, (make, penalty) in CASES.items():
            model = make().to(dtype)
            code = model.encoder(x)
            output = model.decode(code)
            reconstruction = F.binary_cross_entropy(output, x)
            extra = penalty(model.encoder, x, code) if penalty else torch.zeros((), dtype=dtype)
            (reconstruction + extra).backward()
            case = f"{name}_{suffix}"
            out[f"{case}.output"], out[f"{case}.code"] = array(output), array(code)
            out[f"{case}.reconstruction"], out[f"{case}.penalty"] = one(reconstruction), one(extra)
            for parameter, tensor in model.named_parameters():
                out[f"{case}.{parameter}"], out[f"{case}.d {parameter}"] = array(tensor), array(tensor.grad)
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = pathlib.Path(__file__).with_name("autoencoders.safetensors")
    write_safetensors(path, autoencoders())
    print(f"{path.name}: {path.stat().st_size} bytes")
