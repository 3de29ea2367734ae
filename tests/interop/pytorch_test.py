"""Weights that Hourglass saved give the same reconstructions in PyTorch, and the other way round.

usage: pytorch_test.py EXCHANGE_PROGRAM SOURCE_DIR WORK_DIR
"""
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

exchange, source, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
sys.path.insert(0, str(source / "scripts"))
import pytorch_weights as weights

work.mkdir(parents=True, exist_ok=True)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


class TutorialVae(nn.Module):  # the layers of pytorch/examples
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.fc3, self.fc4 = nn.Linear(20, 400), nn.Linear(400, 784)

    def encode(self, x):
        hidden = torch.relu(self.fc1(x))
        return self.fc21(hidden), self.fc22(hidden)

    def forward(self, x):
        return torch.sigmoid(self.fc4(torch.relu(self.fc3(self.encode(x)[0]))))


class HeadsVae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
        self.fc_mu, self.fc_logvar = nn.Linear(400, 20), nn.Linear(400, 20)
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.fc_mu(self.encoder(x)))


class Normalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32))
        self.decoder = nn.Sequential(
            nn.LayerNorm(32), nn.Linear(32, 64), nn.BatchNorm2d(4), nn.ReLU(), nn.Linear(64, 784)
        )

    def forward(self, x):
        norm, linear, images, relu, last = self.decoder
        hidden = linear(norm(self.encoder(x)))
        return last(relu(images(hidden.reshape(-1, 4, 4, 4)).reshape(hidden.shape)))


def run(step):
    subprocess.run([exchange, step, str(work)], check=True)


def read(name, columns):
    return torch.frombuffer(bytearray((work / name).read_bytes()), dtype=torch.float32).reshape(-1, columns)


def write(name, batch):
    (work / name).write_bytes(batch.detach().numpy().tobytes())


def compare(what, ours, theirs):
    error = (ours - theirs).abs().max().item()
    print(f"{what}: largest difference {error:.2g}")
    assert ours.shape == theirs.shape and error <= 1e-5, what
    assert theirs.std() > 1e-3, f"{what}: the output is constant, so the comparison says nothing"


torch.manual_seed(0)
with torch.no_grad():
    run("save")
    model = Autoencoder()
    model.load_state_dict(weights.load(work / "ours.safetensors"))
    compare("Hourglass -> PyTorch", read("ours_y.bin", 784), model(read("ours_x.bin", 784)))

    x = torch.rand(16, 784)
    write("theirs_x.bin", x)
    model = Autoencoder()
    weights.save(model.state_dict(), work / "theirs.safetensors")
    run("load")
    compare("PyTorch -> Hourglass", read("theirs_back.bin", 784), model(x))

    run("save_normalized")
    model = Normalized()
    model.load_state_dict(weights.load(work / "normalized.safetensors"))
    assert model.encoder[1].num_batches_tracked == 4 and model.encoder[1].num_batches_tracked.dtype == torch.int64
    compare("normalised -> PyTorch", read("normalized_y.bin", 784), model.eval()(read("normalized_x.bin", 784)))
    model = Normalized()
    for _ in range(3):
        model(torch.rand(16, 784))
    weights.save(model.state_dict(), work / "normalized_theirs.safetensors")
    run("load_normalized")
    compare("normalised -> Hourglass", read("normalized_back.bin", 784), model.eval()(x))

    tutorial, heads = TutorialVae(), HeadsVae()
    weights.save(tutorial.state_dict(), work / "tutorial.safetensors")
    weights.save(heads.state_dict(), work / "heads.safetensors")
    run("two_heads")
    compare("fc21, fc22", read("tutorial_back.bin", 784), tutorial(x))
    compare("fc22 alone", read("tutorial_logvar.bin", 20), tutorial.encode(x)[1])
    compare("fc_mu, fc_logvar", read("heads_back.bin", 784), heads(x))
