"""A training run: operations, time, steps, and the exchange between devices."""

import math

from flightline.estimate.checks import count, exact, in_python_numbers, positive, within
from flightline.estimate.core import run_days


@in_python_numbers
def flops_per_token(
    params: float, *, layers: float = 0, width: float = 0, seq_len: float = 0
) -> float:
    """Count the floating-point operations that train on one token.

    Forward and backward, without recomputation: `6 N + 12 L d T` (PaLM, appendix B).

    Parameters
    ----------
    params : float
        Parameters of the model, without embeddings that are only looked up.
    layers, width, seq_len : float
        Layers, model width and tokens per example; 0 leaves attention out.

    Returns
    -------
    float
        Floating-point operations per token.

    Examples
    --------
    >>> flops_per_token(100e6)
    600000000.0
    """
    positive(params=params)
    within(0, 1e12, layers=layers, width=width, seq_len=seq_len)
    return 6 * params + 12 * layers * width * seq_len


@in_python_numbers
def training_days(
    *,
    params: float,
    examples: float,
    accelerators: float,
    peak_tflops: float,
    mfu: float,
    tokens_per_example: float = 1,
    epochs: float = 1,
    goodput: float = 1,
    layers: float = 0,
    width: float = 0,
) -> float:
    """Estimate how many days a training run takes.

    Parameters
    ----------
    params, layers, width : float
        The model, as `flops_per_token` takes it.
    examples, tokens_per_example : float
        Size of the data. Examples that are rows of a table have one token each.
    accelerators : float
        How many work on the run.
    peak_tflops : float
        Peak of one accelerator in 10^12 FLOP/s, dense, for the number format used.
    mfu : float
        Share of that peak that does useful work, above 0 and at most 1.
    epochs : float
        Passes over the data.
    goodput : float
        Share of the time not lost to failures and checkpoints, above 0 and at most 1.

    Returns
    -------
    float
        Days from start to end.

    Raises
    ------
    ValueError
        If an input is impossible; the message names it.
    """
    positive(examples=examples, tokens_per_example=tokens_per_example, epochs=epochs)
    positive(accelerators=accelerators, peak_tflops=peak_tflops)
    positive(mfu=mfu, goodput=goodput)
    within(0, 1, mfu=mfu, goodput=goodput)
    within(0, 1e12, tokens_per_example=tokens_per_example)
    seq_len = tokens_per_example
    per_token = flops_per_token(params, layers=layers, width=width, seq_len=seq_len)
    work = per_token * examples * tokens_per_example * epochs
    speed = {"accelerators": accelerators, "peak_tflops": peak_tflops, "mfu": mfu}
    return run_days(work, **speed, goodput=goodput)


@in_python_numbers
def training_steps(
    *,
    examples: float,
    global_batch: int | None = None,
    batch_per_device: int | None = None,
    devices: int = 1,
    epochs: float = 1,
) -> int:
    """Count the optimizer steps of a run.

    Parameters
    ----------
    examples : float
        Examples in one epoch.
    global_batch, batch_per_device : int
        The batch of one step over all devices, or on each device. Give exactly one.
    devices : int
        Devices that share a step.
    epochs : float
        Passes over the data.

    Returns
    -------
    int
        Steps, rounded up. Products are exact: 12,000 examples, 1.1 epochs and batches
        of 10 are 1,320 steps.
    """
    positive(examples=examples, epochs=epochs)
    if (global_batch is None) == (batch_per_device is None):
        raise ValueError("Give global_batch or batch_per_device, exactly one of them.")
    count(devices=devices)
    if global_batch is not None:
        count(global_batch=global_batch)
        batch = global_batch
    else:
        assert batch_per_device is not None
        count(batch_per_device=batch_per_device)
        batch = batch_per_device * devices
    return math.ceil(exact(examples) * exact(epochs) / exact(batch))


@in_python_numbers
def longest_sequence(
    *,
    step_s: float,
    batch: int,
    params: float,
    peak_tflops: float,
    mfu: float,
    layers: float = 0,
    width: float = 0,
) -> int:
    """Return the most tokens per example that fit in a training step.

    Parameters
    ----------
    step_s : float
        Seconds that a step may take on one accelerator.
    batch : int
        Examples in the step.
    params, layers, width : float
        The model, as `flops_per_token` takes it.
    peak_tflops, mfu : float
        The accelerator, as `training_days` takes it.

    Returns
    -------
    int
        Tokens per example; 0 if not even one fits.
    """
    positive(step_s=step_s, params=params, peak_tflops=peak_tflops, mfu=mfu)
    within(0, 1, mfu=mfu)
    within(0, 1e12, layers=layers, width=width)
    count(batch=batch)
    per_token, square = 6 * exact(params), 12 * exact(layers) * exact(width)
    flops = exact(step_s) * exact(peak_tflops) * 10**12 * exact(mfu) / batch
    if not square:
        return int(flops / per_token)
    linear, bend = float(per_token), 4 * float(square * flops)
    # of the two forms of the root, this one also holds for short examples
    tokens = int(2 * float(flops) / (linear + math.sqrt(linear**2 + bend)))

    def fits(length: int) -> bool:
        return (per_token + square * length) * length <= flops

    return next(n for n in range(tokens + 1, -1, -1) if fits(n))


@in_python_numbers
def all_reduce_bytes(params: float, devices: int, bytes_each: int = 2) -> float:
    """Return the bytes that each device sends when a ring adds up the gradients.

    Parameters
    ----------
    params : float
        Parameters, one gradient each.
    devices : int
        Devices in the ring; a single device sends nothing.
    bytes_each : int
        2 for 16-bit gradients, 4 for 32-bit ones.

    Returns
    -------
    float
        Bytes per device and step: `2 (n - 1) / n` times the gradients' bytes.
    """
    positive(params=params, bytes_each=bytes_each)
    count(devices=devices)
    return 2 * (devices - 1) / devices * params * bytes_each


@in_python_numbers
def step_seconds(
    *, compute_s: float, sent_bytes: float, bandwidth_gb_s: float, overlap: float = 0
) -> float:
    """Estimate one data-parallel step: compute, and the exchange that does not hide.

    Parameters
    ----------
    compute_s : float
        Seconds that a device computes.
    sent_bytes : float
        Bytes that each device sends, as `all_reduce_bytes` returns them.
    bandwidth_gb_s : float
        What a device can send, in 10^9 bytes a second.
    overlap : float
        Share of the exchange that runs behind the compute. However large, no more
        hides than the compute lasts.

    Returns
    -------
    float
        Seconds per step.
    """
    positive(compute_s=compute_s, bandwidth_gb_s=bandwidth_gb_s)
    within(0, math.inf, sent_bytes=sent_bytes)
    within(0, 1, overlap=overlap)
    exchange_s = sent_bytes / (bandwidth_gb_s * 1e9)
    return compute_s + max(exchange_s * (1 - overlap), exchange_s - compute_s)


@in_python_numbers
def loader_gb_s(
    *, examples_per_step: float, example_bytes: float, step_s: float
) -> float:
    """Return how fast a loader must read to keep the devices busy.

    Parameters
    ----------
    examples_per_step : float
        The batch of one step, over all devices that the loader feeds.
    example_bytes : float
        Bytes of one example as it is read.
    step_s : float
        Seconds of one step.

    Returns
    -------
    float
        10^9 bytes a second.
    """
    positive(examples_per_step=examples_per_step, example_bytes=example_bytes)
    positive(step_s=step_s)
    return examples_per_step * example_bytes / step_s / 1e9
