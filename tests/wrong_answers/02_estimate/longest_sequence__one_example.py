"""The step holds a whole batch"""


def longest_sequence(*, step_s, batch, params, peak_tflops, mfu, layers=0, width=0):
    return int(step_s * peak_tflops * 1e12 * mfu / (6 * params))
