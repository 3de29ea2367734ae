#!/usr/bin/env python3
"""Writes the golden files beside this script: results of PyTorch that the tests compare the library with.

    python3 tests/golden/make_golden.py [subject ...]

One function per subject; each returns a dictionary of arrays for <subject>.safetensors. Needs torch and numpy
(Debian: python3-torch). Inputs come from a seeded NumPy generator per subject, so running it again changes nothing.
"""

import json
import pathlib
import struct
import sys

import numpy as np
import torch
from torch import nn

DTYPES = {"f32": torch.float32, "f64": torch.float64}
NAMES = {np.dtype("float32"): "F32", np.dtype("float64"): "F64", np.dtype("int64"): "I64"}


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    for name, array in tensors.items():
        array = np.ascontiguousarray(array)
        blob = array.tobytes()
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def array(tensor):
    return tensor.detach().numpy().copy()


def one(value):
    """A scalar as a tensor of one element."""
    return array(value.reshape(1))


def values(random, dtype, *shape, low=None, high=None):
    numbers = random.standard_normal(shape) if low is None else random.uniform(low, high, shape)
    return torch.tensor(numbers, dtype=dtype)


def reductions(per_element, batch):
    return {"mean": per_element.mean(), "sum": per_element.sum(), "batchmean": per_element.sum() / batch}


def losses():
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(1)
        shape = (5, 7)
        inputs = {
            "real": (values(random, dtype, *shape), values(random, dtype, *shape)),
            "unit": (values(random, dtype, *shape, low=0, high=1), values(random, dtype, *shape, low=0, high=1)),
            "saturated": (
                torch.tensor([[0, 0, 1, 1, 1e-30, 1e-7, 0.5]], dtype=dtype),
                torch.tensor([[0, 1, 0, 1, 0.5, 0.5, 1]], dtype=dtype),
            ),
            "large": (
                torch.tensor([[-1e4, -1e4, 1e4, 1e4, -50, 50, 50, 0]], dtype=dtype),
                torch.tensor([[0, 1, 0, 1, 1, 0, 0.25, 0.5]], dtype=dtype),
            ),
        }
        for name, (output, target) in inputs.items():
            out[f"{name}_{suffix}.output"], out[f"{name}_{suffix}.target"] = array(output), array(target)
        cases = {
            "mse": ("real", nn.MSELoss(reduction="none")),
            "l1": ("real", nn.L1Loss(reduction="none")),
            "huber": ("real", nn.HuberLoss(reduction="none")),
            "huber_half": ("real", nn.HuberLoss(reduction="none", delta=0.5)),
            "bce": ("unit", nn.BCELoss(reduction="none")),
            "bce_saturated": ("saturated", nn.BCELoss(reduction="none")),
            "logits": ("real", nn.BCEWithLogitsLoss(reduction="none")),
            "logits_large": ("large", nn.BCEWithLogitsLoss(reduction="none")),
            "logits_weighted": (
                "real",
                nn.BCEWithLogitsLoss(reduction="none", pos_weight=torch.tensor(2.5, dtype=dtype)),
            ),
        }
        for name, (data, loss) in cases.items():
            output, target = inputs[data]
            for reduction in ("mean", "sum", "batchmean"):
                x = output.clone().requires_grad_()
                value = reductions(loss(x, target), len(x))[reduction]
                value.backward()
                out[f"{name}_{reduction}_{suffix}.value"] = one(value)
                out[f"{name}_{reduction}_{suffix}.gradient"] = array(x.grad)

        variance = values(random, dtype, *shape, low=0.1, high=2)
        variance[0, 0], variance[1, 2] = 1e-8, 0
        mean, target = inputs["real"][0].clone(), inputs["real"][1]
        mean[0, 0], mean[1, 2] = target[0, 0] + 3e-3, target[1, 2]
        out[f"nll_{suffix}.mean"], out[f"nll_{suffix}.variance"] = array(mean), array(variance)
        for full in (False, True):
            for reduction in ("mean", "sum", "batchmean"):
                m, v = mean.clone().requires_grad_(), variance.clone().requires_grad_()
                value = nn.GaussianNLLLoss(full=full, reduction="none")(m, target, v)
                value = reductions(value, len(m))[reduction]
                value.backward()
                name = f"nll_{'full_' if full else ''}{reduction}_{suffix}"
                out[f"{name}.value"] = one(value)
                out[f"{name}.mean_gradient"], out[f"{name}.variance_gradient"] = array(m.grad), array(v.grad)

        logits = 3 * values(random, dtype, 5, 7)
        logits[4] *= 100
        labels = torch.tensor([0, 6, 3, 3, 1])
        out[f"classes_{suffix}.logits"], out[f"classes_{suffix}.labels"] = array(logits), array(labels)
        for smoothing in (0.0, 0.1):
            for reduction in ("mean", "sum"):
                x = logits.clone().requires_grad_()
                value = nn.CrossEntropyLoss(label_smoothing=smoothing, reduction=reduction)(x, labels)
                value.backward()
                name = f"classes_{'smooth_' if smoothing else ''}{reduction}_{suffix}"
                out[f"{name}.value"], out[f"{name}.gradient"] = one(value), array(x.grad)

        mu, logvar = values(random, dtype, 5, 3), values(random, dtype, 5, 3)
        logvar[0] = torch.tensor([-40.0, 25.0, 19.5], dtype=dtype)
        out[f"kl_{suffix}.mu"], out[f"kl_{suffix}.logvar"] = array(mu), array(logvar)
        for reduction in ("mean", "sum", "batchmean"):
            m, l = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
            c = l.clamp(-30, 20)
            value = reductions(-0.5 * (1 + c - m * m - c.exp()), len(m))[reduction]
            value.backward()
            name = f"kl_{reduction}_{suffix}"
            out[f"{name}.value"] = one(value)
            out[f"{name}.mu_gradient"], out[f"{name}.logvar_gradient"] = array(m.grad), array(l.grad)
    return out


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd_decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "sgd_dampening": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, dampening=0.3, weight_decay=0.01),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p),
    "adam_options": lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p),
    "adamw_options": lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.7, 0.9), eps=1e-5, weight_decay=0.3),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "adadelta_options": lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1),
}


def optimizers():
    """Weight (5, 7) and bias (5,) after some of 12 steps along given gradients; gradients of step 9 on are clipped."""
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(2)
        start = [values(random, dtype, 5, 7), values(random, dtype, 5)]
        scale = torch.tensor(10.0 ** random.uniform(-4, 1, (5, 7)), dtype=dtype)
        gradients = [[scale * values(random, dtype, 5, 7), values(random, dtype, 5)] for _ in range(12)]
        gradients[3][0][2] = 0
        out[f"start_{suffix}.weight"], out[f"start_{suffix}.bias"] = array(start[0]), array(start[1])
        out[f"gradients_{suffix}.weight"] = np.stack([array(g[0]) for g in gradients])
        out[f"gradients_{suffix}.bias"] = np.stack([array(g[1]) for g in gradients])
        norms = []
        for name, make in OPTIMIZERS.items():
            parameters = [nn.Parameter(p.clone()) for p in start]
            optimizer = make(parameters)
            norms = []
            for step in range(12):
                for parameter, gradient in zip(parameters, gradients[step]):
                    parameter.grad = gradient.clone()
                if step >= 8:
                    norms.append(nn.utils.clip_grad_norm_(parameters, 20.0 if step == 8 else 1.5))
                optimizer.step()
                if step + 1 in (1, 2, 5, 12):
                    out[f"{name}_{suffix}.weight.{step + 1}"] = array(parameters[0])
                    out[f"{name}_{suffix}.bias.{step + 1}"] = array(parameters[1])
        out[f"norms_{suffix}"] = array(torch.stack(norms))
    return out


def schedules():
    """Learning rates of 40 epochs, the one before the first step included."""
    scheduler = torch.optim.lr_scheduler
    metrics = np.random.default_rng(3).uniform(0.9, 1.1, 40) * 0.97 ** np.minimum(np.arange(40), 15)
    metrics[20] = np.nan
    plateau = {
        "plateau": dict(patience=2),
        "plateau_cooldown": dict(factor=0.5, patience=1, cooldown=3, min_lr=2e-3),
        "plateau_abs": dict(factor=0.3, patience=3, threshold=0.02, threshold_mode="abs"),
        "plateau_max": dict(mode="max", factor=0.2, patience=4, threshold=0.01),
        "plateau_max_abs": dict(mode="max", factor=0.2, patience=1, threshold=0.01, threshold_mode="abs", eps=1e-4),
    }
    cases = {
        "step": lambda o: scheduler.StepLR(o, 7),
        "step_half": lambda o: scheduler.StepLR(o, 1, gamma=0.5),
        "cosine": lambda o: scheduler.CosineAnnealingLR(o, 10),
        "cosine_min": lambda o: scheduler.CosineAnnealingLR(o, 9, eta_min=1e-3),
        "cosine_one": lambda o: scheduler.CosineAnnealingLR(o, 1, eta_min=1e-3),
        **{name: lambda o, k=k: scheduler.ReduceLROnPlateau(o, **k) for name, k in plateau.items()},
    }
    out = {"metrics": metrics}
    for name, make in cases.items():
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        schedule = make(optimizer)
        rates = []
        for metric in metrics:
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step(*([metric] if name.startswith("plateau") else []))
        out[name] = np.array(rates)
    return out


def layers():
    """<case>.x, .dy -> .y, .dx and, for Linear, .weight, .bias -> .dweight, .dbias."""
    cases = {
        "linear": lambda: nn.Linear(7, 4),
        "linear_no_bias": lambda: nn.Linear(7, 4, bias=False),
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "leaky_relu_steep": lambda: nn.LeakyReLU(0.2),
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "softplus": nn.Softplus,
        "softplus_beta_2": lambda: nn.Softplus(beta=2),
        "elu": nn.ELU,
        "elu_half": lambda: nn.ELU(alpha=0.5),
        "gelu": nn.GELU,
    }
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(4)
        torch.manual_seed(4)
        for name, make in cases.items():
            layer = make().to(dtype)
            x = 3 * values(random, dtype, 5, 7)
            if not name.startswith("linear"):
                # The saturated ends, the threshold of Softplus (20) from both sides, and 0.
                x[1] = torch.tensor([-100, -25, -10.5, 10.5, 19.5, 25, 100], dtype=dtype)
                x[2, 0] = 0
            x.requires_grad_()
            y = layer(x)
            dy = values(random, dtype, *y.shape)
            y.backward(dy)
            case = f"{name}_{suffix}"
            out[f"{case}.x"], out[f"{case}.dy"] = array(x), array(dy)
            out[f"{case}.y"], out[f"{case}.dx"] = array(y), array(x.grad)
            for parameter, tensor in layer.named_parameters():
                out[f"{case}.{parameter}"], out[f"{case}.d{parameter}"] = array(tensor), array(tensor.grad)
    return out


SUBJECTS = {f.__name__: f for f in (losses, optimizers, schedules, layers)}


def main():
    torch.set_num_threads(1)
    for subject in sys.argv[1:] or SUBJECTS:
        path = pathlib.Path(__file__).with_name(subject + ".safetensors")
        write_safetensors(path, SUBJECTS[subject]())
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
