"""Wrong answers to `longest_sequence` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% forward_only
"""Training is forward and backward"""


def longest_sequence(*, step_s, batch, params, peak_tflops, mfu, layers=0, width=0):
    return int(step_s * peak_tflops * 1e12 * mfu / (2 * params * batch))


# %% linear_attention
"""the tokens appear squared"""


def longest_sequence(*, step_s, batch, params, peak_tflops, mfu, layers=0, width=0):
    per_token = 6 * params + 12 * layers * width
    return int(step_s * peak_tflops * 1e12 * mfu / (per_token * batch))


# %% one_example
"""The step holds a whole batch"""


def longest_sequence(*, step_s, batch, params, peak_tflops, mfu, layers=0, width=0):
    return int(step_s * peak_tflops * 1e12 * mfu / (6 * params))
