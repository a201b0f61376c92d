"""Wrong answers to `tokens_in_step` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% forward_only
"""Training is forward and backward"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return int(step_s * peak_tflops * 1e12 * mfu / (2 * params * batch))


# %% one_example
"""The step holds a whole batch"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return int(step_s * peak_tflops * 1e12 * mfu / (6 * params))


# %% at_the_peak
"""No run reaches its peak"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return int(step_s * peak_tflops * 1e12 / (6 * params * batch))


# %% without_the_prefix
"""FLOP in the step over FLOP for a token"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return int(step_s * peak_tflops * 1e9 * mfu / (6 * params * batch))


# %% rounded_up
"""Round down: not even one token fits"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return math.ceil(step_s * peak_tflops * 1e12 * mfu / (6 * params * batch))


# %% rounded_to_the_nearest
"""Round down: not even one token fits"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return round(step_s * peak_tflops * 1e12 * mfu / (6 * params * batch))


# %% the_usual_batch
"""Use the `batch` that is given"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return int(step_s * peak_tflops * 1e12 * mfu / (6 * params * 32))


# %% an_a100
"""Use the peak that is given"""


def tokens_in_step(*, step_s, batch, params, peak_tflops, mfu):
    return int(step_s * 312e12 * mfu / (6 * params * batch))
