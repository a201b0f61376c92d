"""Rows in the gap belong to neither side"""


def split_by_time(scheduled, cutoff, gap):
    first = cutoff - gap
    return scheduled.index[scheduled < first], scheduled.index[scheduled >= first]
