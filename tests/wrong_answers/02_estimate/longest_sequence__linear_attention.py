"""the tokens appear squared"""


def longest_sequence(*, step_s, batch, params, peak_tflops, mfu, layers=0, width=0):
    per_token = 6 * params + 12 * layers * width
    return int(step_s * peak_tflops * 1e12 * mfu / (per_token * batch))
