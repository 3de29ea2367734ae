#!/usr/bin/env python3
"""Writes variational.safetensors beside this script: losses of small variational autoencoders and their relatives, and the
gradients of all parameters from PyTorch's autograd.

    python3 tests/golden/make_variational_golden.py

Densities and divergences come from torch.distributions and distances from torch.cdist, not from the closed forms that the
library uses; the noise is part of the file.
"""

import math
import pathlib

import numpy as np
import torch
from make_golden import DTYPES, array, one, values, write_safetensors
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

ROWS, FEATURES, LATENT, SAMPLES = 7, 6, 3, 4


def perceptron(before, after, *last):
    return nn.Sequential(nn.Linear(before, 5), nn.Tanh(), nn.Linear(5, after), *last)


class Model(nn.Module):
    def __init__(self, code, latent, out, *last):
        super().__init__()
        self.encoder, self.decoder = perceptron(FEATURES, code), perceptron(latent, out, *last)


def nll(log_prob):
    """-log p(x|z) of each row."""
    return lambda output, x: -log_prob(output, x).sum(-1)


bernoulli = nll(lambda y, x: -F.binary_cross_entropy(y, x, reduction="none"))
logits = nll(lambda y, x: Bernoulli(logits=y, validate_args=False).log_prob(x))
fixed = nll(lambda y, x: Normal(y, 0.4).log_prob(x))
learned = nll(lambda y, x: Normal(y[..., :FEATURES], (y[..., FEATURES:] / 2).exp()).log_prob(x))


def optimal(output, x):
    """With the width that makes the batch most likely, through which the gradient passes too."""
    return -Normal(output, ((output - x) ** 2).mean().sqrt()).log_prob(x).sum(-1)


def posterior_of(model, x):
    mu, logvar = model.encoder(x).chunk(2, dim=1)
    return Normal(mu, (logvar.clamp(-30, 20) / 2).exp())


def elbo(reconstruction, of_kl=lambda kl: kl.sum()):
    """`of_kl` makes a loss of the divergences of the dimensions, averaged over the batch."""

    def loss(model, x, draws):
        posterior = posterior_of(model, x)
        rec = reconstruction(model.decoder(posterior.mean + posterior.stddev * draws["noise"][:ROWS]), x).mean()
        kl = kl_divergence(posterior, Normal(torch.zeros_like(posterior.mean), 1.0)).mean(0)
        return {"loss": rec + of_kl(kl), "reconstruction": rec, "kl": kl.sum()}

    return loss


def iwae(reconstruction):
    """Draws of one row lie together. The gradient is that of the bound itself, through all that depends on z."""

    def loss(model, x, draws):
        posterior = posterior_of(model, x)
        q = Normal(posterior.mean[:, None], posterior.stddev[:, None])
        z = q.mean + q.stddev * draws["noise"].reshape(ROWS, SAMPLES, LATENT)
        rec = reconstruction(model.decoder(z), x[:, None].expand(ROWS, SAMPLES, FEATURES))
        kl = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(-1)
        bound = torch.logsumexp(-rec - kl, dim=1) - math.log(SAMPLES)
        return {"loss": -bound.mean(), "reconstruction": rec.mean(), "kl": kl.mean()}

    return loss


class Quantized(Model):
    """Two vectors of 2 dimensions, 5 codes."""

    def __init__(self):
        super().__init__(4, 4, FEATURES, nn.Sigmoid())
        self.quantizer = nn.Module()
        self.quantizer.weight = nn.Parameter(0.4 * torch.randn(5, 2))


def vq(model, x, draws):
    z = model.encoder(x)
    indices = torch.cdist(z.reshape(-1, 2), model.quantizer.weight).argmin(1)
    e = F.embedding(indices, model.quantizer.weight).reshape(z.shape)
    rec = F.mse_loss(model.decoder(z + (e - z).detach()), x)
    shares = torch.bincount(indices, minlength=5).to(x.dtype) / len(indices)
    loss = rec + 0.8 * F.mse_loss(e, z.detach()) + 0.25 * F.mse_loss(z, e.detach())
    perplexity = torch.exp(-torch.xlogy(shares, shares).sum())
    return {"loss": loss, "reconstruction": rec, "distance": F.mse_loss(z, e), "perplexity": perplexity}


def wasserstein(model, x, draws):
    z, prior = model.encoder(x), draws["prior"]

    def kernel(a, b):
        squares = ((a[:, None] - b[None]) ** 2).sum(-1)
        return sum(2 * LATENT * s / (2 * LATENT * s + squares) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))

    within = sum(kernel(a, a).sum() - kernel(a, a).diagonal().sum() for a in (z, prior)) / (ROWS * (ROWS - 1))
    mmd = within - 2 * kernel(z, prior).mean()
    rec = ((model.decoder(z) - x) ** 2).sum(1).mean()
    return {"loss": rec + 10 * mmd, "reconstruction": rec, "mmd": mmd}


def vae(out, *last):
    return lambda: Model(2 * LATENT, LATENT, out, *last)


def runaway():
    """Some log-variances lie outside the range that is used."""
    model = vae(FEATURES, nn.Sigmoid())()
    with torch.no_grad():
        model.encoder[2].bias[LATENT:] = torch.tensor([-40.0, 0.3, 25.0])
        model.decoder[0].weight[:, 2] *= 1e-5
    return model


FREE_BITS, FAR, NEAR = 0.05, 3.0, 0.05  # of the three dimensions, one has less than the free bits
CASES = {
    "bernoulli": (vae(FEATURES, nn.Sigmoid()), elbo(bernoulli)),
    "logits": (vae(FEATURES), elbo(logits)),
    "fixed": (vae(FEATURES), elbo(fixed)),
    "learned": (vae(2 * FEATURES), elbo(learned)),
    "optimal": (vae(FEATURES), elbo(optimal)),
    "clamped": (runaway, elbo(bernoulli)),
    "beta": (vae(FEATURES, nn.Sigmoid()), elbo(bernoulli, lambda kl: 2.5 * kl.sum())),
    "free_bits": (vae(FEATURES, nn.Sigmoid()), elbo(bernoulli, lambda kl: 2 * kl.clamp(min=FREE_BITS).sum())),
    "capacity_far": (vae(FEATURES, nn.Sigmoid()), elbo(bernoulli, lambda kl: 9 * (kl.sum() - FAR).abs())),
    "capacity_near": (vae(FEATURES, nn.Sigmoid()), elbo(bernoulli, lambda kl: 9 * (kl.sum() - NEAR).abs())),
    "iwae_bernoulli": (vae(FEATURES, nn.Sigmoid()), iwae(bernoulli)),
    "iwae_logits": (vae(FEATURES), iwae(logits)),
    "iwae_learned": (vae(2 * FEATURES), iwae(learned)),
    "vq": (Quantized, vq),
    "wasserstein": (lambda: Model(LATENT, LATENT, FEATURES), wasserstein),
}


def variational():
    out = {}
    for suffix, dtype in DTYPES.items():
        random = np.random.default_rng(6)
        torch.manual_seed(6)
        x = values(random, dtype, ROWS, FEATURES, low=0, high=1)
        draws = {"noise": values(random, dtype, ROWS * SAMPLES, LATENT), "prior": values(random, dtype, ROWS, LATENT)}
        for name, tensor in {"x": x, **draws}.items():
            out[f"{name}_{suffix}"] = array(tensor)
        for name, (make, loss) in CASES.items():
            model = make().to(dtype)
            terms = loss(model, x, draws)
            terms["loss"].backward()
            for term, value in terms.items():
                out[f"{name}_{suffix}.{term}"] = one(value)
            for parameter, tensor in model.named_parameters():
                out[f"{name}_{suffix}.{parameter}"] = array(tensor)
                out[f"{name}_{suffix}.d {parameter}"] = array(tensor.grad)
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = pathlib.Path(__file__).with_name("variational.safetensors")
    write_safetensors(path, variational())
    print(f"{path.name}: {path.stat().st_size} bytes")
