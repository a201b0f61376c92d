"""Return index labels"""


def split_by_time(scheduled, cutoff, gap):
    return scheduled[scheduled < cutoff - gap], scheduled[scheduled >= cutoff]
