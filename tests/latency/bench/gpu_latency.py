"""The GPU column of lab 09, in one standalone run on a machine that has one.

`python tests/latency/bench/gpu_latency.py` times networks on the processor and on the
accelerator of the same machine, for several batch sizes, and writes
`results/latency_gpu.json`, which names the device. It needs PyTorch and NumPy; with the
package `onnx` it uses the reference network's own weights, else random ones of the same
shapes. The accelerator's time contains the way there and back. It stops after six
minutes, whatever is left. Without an accelerator it says so and writes nothing.
"""

import argparse
import hashlib
import json
import platform
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

MODELS = Path(__file__).resolve().parents[3] / "data" / "models"
OUT = Path(__file__).parent / "results" / "latency_gpu.json"
NETS = {
    "student 64-32": (43, 64, 32, 1),
    "network 512-256": (43, 512, 256, 1),
    "wide 2048 x 4": (43, 2048, 2048, 2048, 2048, 1),
    "wide 8192 x 4": (43, 8192, 8192, 8192, 8192, 1),
}
ROWS = (1, 32, 512, 4096)
BUDGET_S, REPEATS, PATIENCE_S = 360, 15, 6.0


def make(widths):
    """Return a network with ReLUs between its layers, always the same one."""
    torch.manual_seed(9)
    layers = []
    for wide, narrow in pairwise(widths):
        layers += [torch.nn.Linear(wide, narrow), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).eval()


def stored_model(name):
    """Return the bytes of a reference model, as the manifest names and sums them."""
    manifest = json.loads((MODELS / "models.json").read_text())
    (entry,) = (each for each in manifest["models"] if each["name"] == name)
    content = (MODELS / entry["file"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise SystemExit(f"{entry['file']} is not the file that models.json names.")
    return content


def with_stored_weights(net):
    """Put the reference network's weights in, if the package onnx is there."""
    try:
        import onnx
    except ImportError:
        return "random, of the same shapes"
    stored = onnx.load_from_string(stored_model("delay_mlp")).graph.initializer
    found = {each.name: onnx.numpy_helper.to_array(each) for each in stored}
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    names = sorted(n for n in found if ".layers." in n and n.endswith("weight"))
    for layer, name in zip(linear, names, strict=True):
        for kind in ("weight", "bias"):
            value = torch.from_numpy(found[name.replace("weight", kind)].copy())
            getattr(layer, kind).data.copy_(value)
    return "the reference network's own"


def median_ms(run, patience_s):
    """Return the median time of a call, after two that are not counted."""
    run()
    run()
    times, end = [], time.perf_counter() + patience_s
    while len(times) < REPEATS and (not times or time.perf_counter() < end):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def measure(name, widths, rows, device):
    """Time one network at one batch size on both sides; check that they agree."""
    net = make(widths)
    weights = with_stored_weights(net) if name == "network 512-256" else "random"
    there = make(widths).to(device)
    there.load_state_dict(net.state_dict())
    table = np.random.default_rng(9).normal(size=(rows, widths[0])).astype(np.float32)
    resident = torch.from_numpy(table).to(device)

    def here():
        return net(torch.from_numpy(table)).numpy()

    def away():
        return there(torch.from_numpy(table).to(device)).cpu().numpy()

    def alone():
        there(resident)
        torch.cuda.synchronize()

    gap = float(np.abs(here() - away()).max())
    if gap > 1e-2:
        raise SystemExit(f"{name}, {rows} rows: the two differ by {gap}.")
    return {
        "net": name, "rows": rows, "weights": weights, "largest_gap": gap,
        "cpu_ms": median_ms(here, PATIENCE_S), "gpu_ms": median_ms(away, PATIENCE_S),
        "gpu_resident_ms": median_ms(alone, PATIENCE_S),
    }  # fmt: skip


def processor():
    """Name the processor, its cores and the system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    name = names[0] if names else platform.processor()
    return f"{name}, {torch.get_num_threads()} threads, {platform.system()}"


def main():
    """Measure what there is time for, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    if not torch.cuda.is_available():
        print("No accelerator here: nothing was measured, nothing was written.")
        return 0
    torch.backends.cuda.matmul.allow_tf32 = False  # the same arithmetic on both sides
    start, rows = time.perf_counter(), []
    with torch.inference_mode():
        for name, widths in NETS.items():
            for count in ROWS:
                if time.perf_counter() - start < BUDGET_S:
                    rows.append(measure(name, widths, count, "cuda"))
                    print(rows[-1], flush=True)
    record = {
        "device": torch.cuda.get_device_name(), "processor": processor(),
        "torch": torch.__version__, "seconds": round(time.perf_counter() - start),
        "arithmetic": "fp32 on both sides", "rows": rows,
    }  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written: {out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
