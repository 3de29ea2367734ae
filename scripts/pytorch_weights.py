#!/usr/bin/env python3
"""Weight files of Hourglass (safetensors) in PyTorch, with no other package.

    import pytorch_weights as weights
    model.load_state_dict(weights.load("autoencoder.safetensors"))
    weights.save(model.state_dict(), "autoencoder.safetensors")
"""
import json
import struct

import torch

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


def load(path):
    data = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = {name: entry for name, entry in json.loads(data[8:start]).items() if name != "__metadata__"}
    return {
        name: torch.frombuffer(bytearray(data[start + e["data_offsets"][0] : start + e["data_offsets"][1]]), dtype=DTYPES[e["dtype"]]).reshape(e["shape"])
        for name, e in header.items()
    }


def save(tensors, path):
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in tensors.items():
        blobs.append(tensor.detach().cpu().contiguous().numpy().tobytes())
        dtype = next(key for key, value in DTYPES.items() if value == tensor.dtype)
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, offset := offset + len(blobs[-1])]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
