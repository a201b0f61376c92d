"""Measure the training step on a GPU, beside the same machine's CPU, in one run.

`python -m flightline.distributed.gpu_run EXAMPLES.pt RECORD.json` needs PyTorch and
NumPy and nothing else: no pandas, no pyarrow, no network. It joins a process group of
one rank (nccl on the GPU, gloo on the CPU), trains networks of several widths in
float32 and in mixed precision, and writes the time of a step, rows a second, memory and
losses with the machine's name. The middle width is trained at growing batches. Each row
has its MFU: six operations for each parameter and row, over the rate of a large matrix
product in the same precision, timed on the same device. It stops after seven minutes at
the latest; what is left out is named in the record. Without a GPU it writes nothing and
ends with code 3, except with `--cpu-only`, which is for trying it out.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from flightline import distributed as d

Record = dict[str, Any]
WIDTHS, BATCH, DEPTH = (256, 1024, 4096), 8192, 2
CURVE = (128, 512, 2048, 8192, 32768)  # batches
SQUARE = {"cuda": 8192, "cpu": 1024}  # sides of the matrices for the rate
PRODUCTS = 7
LIMIT_S, SHARE_S = 420.0, 12.0
FIRST_STEPS, FEWEST_STEPS = 5, 3
PRECISIONS = {"cuda": ("float32", "bfloat16"), "cpu": ("float32",)}


def processor() -> str:
    """Return the name of the CPU, without the name of the machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def machine(gpu: bool) -> Record:
    """Return what a reader must know of the machine that was measured."""
    found: Record = {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gpu": None,
    }
    if gpu:
        properties = torch.cuda.get_device_properties(0)
        found["gpu"] = properties.name
        found["gpu_memory_gb"] = round(properties.total_memory / 1e9, 1)
        found["cuda"] = torch.version.cuda
        found["nccl"] = ".".join(map(str, torch.cuda.nccl.version()))  # type: ignore[no-untyped-call]
    return found


def product_rate(device: torch.device, precision: str) -> float:
    """Return the operations a second of a large matrix product: a median."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    side = SQUARE[device.type]
    one = torch.ones(side, side, device=device, dtype=dtype)
    took_s = []
    for _ in range(PRODUCTS + 1):  # the first one warms up
        start = time.perf_counter()
        float((one @ one)[0, 0])  # reading a number waits for the device
        took_s.append(time.perf_counter() - start)
    return float(2 * side**3 / statistics.median(took_s[1:]))


def measure(
    examples: d.Examples,
    plan: d.Plan,
    here: d.Rank,
    share_s: float,
    end: float,
    rate: float,
) -> Record | None:
    """Train one network; return its speed, its memory and its first losses.

    The losses of the first steps say whether two devices do the same. Later steps are
    timed one by one until `share_s` is used. None if `end` comes before any was timed.
    `rate` is what `product_rate` returned.
    """
    gpu = here.device.type == "cuda"
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    model = d.wrap(d.build_model(examples.inputs.shape[1], plan), plan.strategy, here)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
    share = {"rows": len(examples.late), "batch": plan.batch, "seed": plan.seed}
    losses: list[float] = []
    took_s: list[float] = []
    enough = time.monotonic() + share_s
    while len(took_s) < FEWEST_STEPS or time.monotonic() < enough:
        if time.monotonic() > end:
            break
        step = len(losses) + len(took_s)
        rows = d.batch_rows(step, rank=0, ranks=1, **share).to(here.device)
        start = time.perf_counter()
        loss = d.train_step(model, optimizer, examples, rows, plan)
        if gpu:
            torch.cuda.synchronize()
        if len(losses) < FIRST_STEPS:
            losses.append(round(loss, 6))
        else:
            took_s.append(time.perf_counter() - start)
    if not took_s:
        return None
    step_s = statistics.median(took_s)
    params = sum(p.numel() for p in model.parameters())
    return {
        "device": here.device.type,
        "backend": here.backend,
        "width": plan.width,
        "params": params,
        "precision": plan.precision,
        "batch": plan.batch,
        "threads": torch.get_num_threads(),
        "steps": len(took_s),
        "step_ms": round(1000 * step_s, 3),
        "rows_per_s": int(plan.batch / step_s),
        "mfu": float(f"{6 * params * plan.batch / step_s / rate:.3g}"),
        "peak_mb": round(torch.cuda.max_memory_allocated() / 1e6, 1) if gpu else None,
        "losses": losses,
    }


def rounds(
    data: Path, gpus: int, options: argparse.Namespace
) -> Iterator[tuple[str, Record | None]]:
    """Yield the name and the figures of each measurement; None if time ran out."""
    end = time.monotonic() + options.limit_s
    packed = d.load_packed(data)
    torch.set_num_threads(os.cpu_count() or 1)
    for device, precisions in PRECISIONS.items():
        if device == "cuda" and not gpus:
            continue
        with d.world(gpus=gpus if device == "cuda" else 0) as here:
            sides = d.unpack(packed)
            examples = d.Examples(*(side.to(here.device) for side in sides))
            most = len(sides.late)
            batch, middle = min(options.batch, most), sorted(options.widths)[-2:][0]
            curve = [b for b in options.curve if b <= most and b != batch]
            cases = [(width, batch) for width in options.widths]
            cases += [(middle, other) for other in curve]
            for precision in precisions:
                rate = product_rate(here.device, precision)
                for width, rows in cases:
                    sizes = {"width": width, "depth": DEPTH, "batch": rows}
                    plan = d.Plan(str(data), precision=precision, **sizes)
                    name = f"{device}, width {width}, batch {rows}, {precision}"
                    share = options.share_s, end, rate
                    yield name, measure(examples, plan, here, *share)


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the record, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.distributed.gpu_run", description=__doc__
    )
    parser.add_argument("examples", type=Path, help="a .pt file of `distributed.pack`")
    parser.add_argument("record", type=Path, help="the JSON file to write")
    parser.add_argument("--cpu-only", action="store_true", help="try it without a GPU")
    parser.add_argument("--widths", type=int, nargs="+", default=list(WIDTHS))
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--curve", type=int, nargs="*", default=list(CURVE))
    parser.add_argument("--share-s", type=float, default=SHARE_S, help="each takes so")
    parser.add_argument("--limit-s", type=float, default=LIMIT_S, help="all together")
    options = parser.parse_args(arguments)
    gpus = 0 if options.cpu_only else torch.cuda.device_count()
    if not gpus and not options.cpu_only:
        print("no GPU that PyTorch can use: nothing is recorded", file=sys.stderr)
        return 3
    start = time.monotonic()
    rows, skipped = [], []
    for name, row in rounds(options.examples, min(gpus, 1), options):
        print(name, row or "left out: no time", flush=True)
        if row is None:
            skipped.append(name)
        else:
            rows.append(row)
    found: Record = {"machine": machine(bool(gpus)), "rows": rows, "left_out": skipped}
    found["seconds"] = int(time.monotonic() - start)
    options.record.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
