"""The same network in several engines: functions that score the first rows of a table.

The features are ready when one of them is called: what is left is the network and the
library that runs it.
"""

import re
import shutil

import numpy as np
import torch
from flightline import training
from labkit.latency import onnx_lab


def torch_twin(model):
    """Return the network of an ONNX file as a PyTorch module."""
    stored = onnx_lab.tensors(model.content)
    found = {
        name.partition(".")[2]: torch.from_numpy(value.copy())
        for name, value in stored.items()
        if re.search(r"\.(embed|layers)\.", name)
    }
    names = sorted(n for n in found if re.fullmatch(r"layers\.\d+\.weight", n))
    hidden = [found[name].shape[0] for name in names[:-1]]
    net = training.make_mlp(model.transform.sizes, hidden)
    net.load_state_dict(found)
    return net.eval()


def eager(model, table, compiled=False):
    """Return the network in PyTorch, behind `torch.compile` if wanted."""
    net = torch_twin(model)
    if compiled:
        net = torch.compile(net, dynamic=True)
    feed = [torch.from_numpy(rows) for rows in onnx_lab.feeds(model, table).values()]

    def run(count):
        with torch.inference_mode():
            return torch.sigmoid(net(*(rows[:count] for rows in feed))).numpy()

    run(64)  # the first call compiles
    return run


def compiler():
    """Return whether `torch.compile` finds a C++ compiler here."""
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def agree(run, model, table, rows=64):
    """Assert that a runner gives a model's scores of the same rows, in one call."""
    got = np.asarray(run(rows)).reshape(-1)
    assert np.allclose(got, model.predict(table.head(rows)), atol=1e-5)
