"""Networks with fewer bits a weight, or fewer weights: only the weights are changed.

The arithmetic stays FP32. So the tables say what a format would cost in accuracy, and
nothing about time, which needs kernels and processors that compute in that format.
"""

import re
import zlib
from functools import partial

import numpy as np
import onnx
import torch
from flightline.training import open_model


def on_steps(weight, bits, block=None):
    """Round a weight [outputs, inputs] to symmetric steps, of so many bits.

    There is one scale for each output, or one for each block of inputs of an output.
    """
    most = 2 ** (bits - 1) - 1
    out = np.empty_like(weight)
    for at in range(0, weight.shape[1], block or weight.shape[1]):
        part = weight[:, at : at + (block or weight.shape[1])]
        far = np.abs(part).max(axis=1, keepdims=True)
        scale = np.where(far > 0, far, 1) / most
        out[:, at : at + part.shape[1]] = np.rint(part / scale) * scale
    return out


def as_fp8(weight):
    """Round a weight to FP8, E4M3, with one scale for each output."""
    kind = torch.float8_e4m3fn
    far = np.abs(weight).max(axis=1, keepdims=True)
    scale = np.where(far > 0, far, 1) / torch.finfo(kind).max
    steps = torch.from_numpy((weight / scale).astype(np.float32)).to(kind)
    return steps.to(torch.float32).numpy() * scale


def pruned(weight, share):
    """Set the smallest weights of a layer to zero, so that a share of them is."""
    limit = np.quantile(np.abs(weight), share)
    return np.where(np.abs(weight) > limit, weight, 0)


def with_weights(model, change):
    """Return a network whose linear layers have changed weights [outputs, inputs]."""
    proto = onnx.load_from_string(model.content)
    for stored in proto.graph.initializer:
        if re.fullmatch(r".*\blayers\.\d+\.weight", stored.name):
            weight = change(onnx.numpy_helper.to_array(stored)).astype(np.float32)
            stored.CopyFrom(onnx.numpy_helper.from_array(weight, stored.name))
    content = proto.SerializeToString()
    return open_model(content, model.kind, model.transform, name=model.name)


WAYS = {
    "FP32": (32.0, None),
    "FP8 (E4M3), a scale for each output": (8.0, as_fp8),
    "INT8, a scale for each output": (8.0, partial(on_steps, bits=8)),
    "INT4, a scale for each output": (4.0, partial(on_steps, bits=4)),
    "INT4, blocks of 32": (4.5, partial(on_steps, bits=4, block=32)),
    "INT3, blocks of 32": (3.5, partial(on_steps, bits=3, block=32)),
    "INT2, blocks of 32": (2.5, partial(on_steps, bits=2, block=32)),
    "half of the weights zero": (32.0, partial(pruned, share=0.5)),
    "80% zero": (32.0, partial(pruned, share=0.8)),
    "95% zero": (32.0, partial(pruned, share=0.95)),
}
"""Bits a weight, with a 16-bit scale for each block, and how the weights change."""


def variants(model):
    """Return the network in each way, by name; the first is the control."""
    return {
        name: model if change is None else with_weights(model, change)
        for name, (_, change) in WAYS.items()
    }


def packed_kib(model):
    """Return the size of a network's file after a general packer, in KiB."""
    return len(zlib.compress(model.content, 9)) / 1024
