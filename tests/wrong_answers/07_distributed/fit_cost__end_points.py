"""use all sizes, and weigh by the relative error"""


def fit_cost(sizes, seconds, ranks):
    moved = 2 * (ranks - 1) / ranks * np.asarray(sizes, dtype=float)
    beta = (seconds[-1] - seconds[0]) / (moved[-1] - moved[0])
    return (seconds[0] - beta * moved[0]) / (2 * (ranks - 1)), beta
