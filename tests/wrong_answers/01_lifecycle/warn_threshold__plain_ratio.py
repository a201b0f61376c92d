"""forgets that the cost falls due only if the flight is on time"""


def warn_threshold(benefit, cost, fee=0.0):
    return (cost + fee) / benefit
