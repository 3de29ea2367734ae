"""PyTorch's side of conv_benchmark: a process with one convolution.

usage: conv_worker.py THREADS, with a socket as standard input. Requests and answers are lines, times are seconds:

    new KIND LAYOUT BATCH CHANNELS HEIGHT WIDTH OUT KERNEL STRIDE PADDING OUTPUT_PADDING
                        sums of |y|, |dx|, |dW| and |db|; KIND is Conv2d or ConvTranspose2d, LAYOUT of the images
                        contiguous or channels_last. Parameters, x and dy are waves, the same as in conv/worker.cpp
    forward REPEATS     seconds, in inference
    both REPEATS        seconds of forward in training, dX, dW and db

Failures get "error TEXT".
"""
import sys
import time

from serve import serve

import torch
from torch import nn


def wave(shape):
    count = torch.Size(shape).numel()
    return (0.5 + torch.sin(torch.arange(count, dtype=torch.float64) * 0.7 + count)).float().reshape(shape)


class Worker:
    def new(self, kind, layout, *numbers):
        batch, channels, height, width, out, kernel, stride, padding, output_padding = map(int, numbers)
        more = {"output_padding": output_padding} if kind == "ConvTranspose2d" else {}
        layer = getattr(nn, kind)(channels, out, kernel, stride, padding, **more)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(wave(parameter.shape))
        memory = {"memory_format": torch.channels_last if layout == "channels_last" else torch.contiguous_format}
        self.layer = layer.to(**memory)
        self.x = wave((batch, channels, height, width)).to(**memory).requires_grad_()
        y = self.layer(self.x)
        self.dy = wave(y.shape).to(**memory)
        self.both(1)
        sums = [y, self.x.grad, *(parameter.grad for parameter in layer.parameters())]
        return " ".join(str(each.detach().double().abs().sum().item()) for each in sums)

    @torch.inference_mode()
    def forward(self, repeats):
        start = time.perf_counter()
        for _ in range(int(repeats)):
            self.layer(self.x)
        return str(time.perf_counter() - start)

    def both(self, repeats):
        start = time.perf_counter()
        for _ in range(int(repeats)):
            self.x.grad = None
            self.layer.zero_grad(set_to_none=True)
            self.layer(self.x).backward(self.dy)
        return str(time.perf_counter() - start)


def start():
    torch.set_num_threads(int(sys.argv[1]))
    return f"ready\t{torch.get_num_threads()}\t{torch.__version__}", Worker()


if __name__ == "__main__":
    sys.exit(serve(start))
