"""PyTorch's side of compare_pytorch: a process that trains when it is told to.

usage: worker.py THREADS FLUSH FOLDER, with a socket as standard input. FLUSH is 1 where denormal numbers are flushed;
FOLDER holds the images, train.bin and test.bin, 784 bytes each. Requests and answers are lines, times are seconds:

    new NETWORK BATCH SEED ADAM MODE
                                   "made": weights from nn.Linear's default, Adam at 1e-3: default, foreach or fused;
                                   MODE is eager, or compiled by torch.compile, which takes a while at the first steps
    fit IMAGES                     seconds and mean loss of an epoch over the first images, in a new random order
    infer PART BATCH REPEATS       seconds; PART is encode or reconstruct
    evaluate                       test loss

Failures get "error TEXT".
"""
import sys
import time

from serve import serve

import torch
from torch import nn
from torch.nn import functional as F

FEATURES = 784


def perceptron(widths, last):
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *last)


class Autoencoder(nn.Module):
    def __init__(self, widths, code_activation):
        super().__init__()
        self.encoder = perceptron(widths, code_activation)
        self.decoder = perceptron(widths[::-1], [nn.Sigmoid()])

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def loss(self, x):
        return F.binary_cross_entropy(self(x), x)


class VariationalAutoencoder(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.encoder = perceptron(widths[:-1] + [2 * widths[-1]], [])
        self.decoder = perceptron(widths[::-1], [nn.Sigmoid()])

    def forward(self, x):  # in inference z is the mean
        return self.decoder(self.encoder(x).chunk(2, dim=1)[0])

    def loss(self, x):
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        reconstruction = F.binary_cross_entropy(self.decoder(z), x, reduction="sum")
        return (reconstruction - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())) / len(x)


NETWORKS = {
    "ae-784-256-64": lambda: Autoencoder([784, 256, 64], [nn.ReLU()]),
    "vae-784-512-256-20": lambda: VariationalAutoencoder([784, 512, 256, 20]),
    "ae-784-1000-500-250-30": lambda: Autoencoder([784, 1000, 500, 250, 30], []),
}


def read(path):
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(-1, FEATURES)


class Worker:
    def __init__(self, folder):
        self.train, self.test = read(folder + "/train.bin"), read(folder + "/test.bin")

    def new(self, network, batch, seed, adam, mode):
        torch.manual_seed(int(seed))
        self.batch = int(batch)
        self.model = NETWORKS[network]()
        choice = {} if adam == "default" else {adam: True}
        finish = torch.compile if mode == "compiled" else lambda module: module
        self.loss = finish(self.model.loss)
        self.parts = {"encode": finish(self.model.encoder), "reconstruct": finish(self.model)}
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, **choice)
        return "made"

    def fit(self, images):
        images = int(images)
        total = 0.0
        start = time.perf_counter()
        order = torch.randperm(images)
        for first in range(0, images, self.batch):
            x = self.train[order[first : first + self.batch]].float().div_(255)
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(x)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(x)
        return f"{time.perf_counter() - start} {total / images}"

    @torch.no_grad()
    def evaluate(self):
        total = 0.0
        for first in range(0, len(self.test), 256):
            x = self.test[first : first + 256].float().div_(255)
            total += self.model.loss(x).item() * len(x)
        return str(total / len(self.test))

    @torch.inference_mode()
    def infer(self, part, batch, repeats):
        module = self.parts[part]
        x = self.test[: int(batch)].float().div_(255)
        for _ in range(1 + int(repeats) // 8):
            module(x)
        start = time.perf_counter()
        for _ in range(int(repeats)):
            module(x)
        return str(time.perf_counter() - start)


def start():
    torch.set_num_threads(int(sys.argv[1]))
    if sys.argv[2] == "1" and not torch.set_flush_denormal(True):
        raise RuntimeError("this processor cannot flush denormal numbers")
    return f"ready\t{torch.get_num_threads()}\t{torch.__version__}", Worker(sys.argv[3])


if __name__ == "__main__":
    sys.exit(serve(start))
