"""one without a label yet, or ever, was dropped"""


def mature(scored, now, wait):
    old = scored["prediction_time"] <= now - wait
    return scored[old & (scored["label_time"] <= now)]
