"""Refuse a benefit or a cost"""


def warn_threshold(benefit, cost, fee=0.0):
    return (cost + fee) / (benefit + cost)
