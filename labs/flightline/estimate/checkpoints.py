"""Checkpoints and failures: what they cost a run."""

import math

from flightline.estimate.checks import in_python_numbers, positive, within
from flightline.estimate.memory import STATE_BYTES


@in_python_numbers
def goodput(
    *,
    checkpoint_s: float,
    mtbf_s: float,
    restart_s: float = 0,
    interval_s: float | None = None,
) -> float:
    """Return the share of time that makes progress when failures come at random.

    A piece of work and its checkpoint must pass without a failure. Each failure costs
    the time since the last checkpoint, and a restart.

    Parameters
    ----------
    checkpoint_s, restart_s : float
        Seconds to write a checkpoint, and to start again after a failure.
    mtbf_s : float
        Mean seconds between failures of the whole job.
    interval_s : float, optional
        Seconds of work between checkpoints; by default Young's
        `sqrt(2 * checkpoint_s * mtbf_s)`.

    Returns
    -------
    float
        Between 0 and 1.
    """
    positive(checkpoint_s=checkpoint_s, mtbf_s=mtbf_s)
    work_s = math.sqrt(2 * checkpoint_s * mtbf_s) if interval_s is None else interval_s
    positive(interval_s=work_s)
    within(0, math.inf, restart_s=restart_s)
    tries = (work_s + checkpoint_s) / mtbf_s
    within(0, 50, interval_s_and_checkpoint_s_over_mtbf_s=tries)
    return work_s / (mtbf_s + restart_s) / math.expm1(tries)


@in_python_numbers
def checkpoint_seconds(
    *, params: float, bandwidth_gb_s: float, precision: str = "mixed"
) -> float:
    """Estimate how long a checkpoint takes to write, or to read.

    It holds the parameters and the optimizer's state; gradients are computed again.

    Parameters
    ----------
    params : float
        Parameters of the model.
    bandwidth_gb_s : float
        What the store takes from the whole job, in 10^9 bytes a second.
    precision : str
        As `training_memory` takes it.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        If an input is impossible; the message names it.

    Examples
    --------
    >>> checkpoint_seconds(params=1e9, bandwidth_gb_s=2)
    7.0
    """
    positive(params=params, bandwidth_gb_s=bandwidth_gb_s)
    if precision not in STATE_BYTES:
        raise ValueError(f"precision is {precision!r}; use one of {list(STATE_BYTES)}.")
    parameters, _, optimizer = STATE_BYTES[precision]
    return params * (parameters + optimizer) / (bandwidth_gb_s * 1e9)
