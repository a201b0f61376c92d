"""You have it upside down"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return (benefit + fee) / (benefit + cost)
