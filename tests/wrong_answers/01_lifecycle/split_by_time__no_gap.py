"""The gap is missing"""


def split_by_time(scheduled, cutoff, gap):
    return scheduled.index[scheduled < cutoff], scheduled.index[scheduled >= cutoff]
