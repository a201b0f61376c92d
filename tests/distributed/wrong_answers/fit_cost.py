"""Wrong answers to `fit_cost` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% end_points
"""use all sizes, and weigh by the relative error"""


def fit_cost(sizes, seconds, ranks):
    moved = 2 * (ranks - 1) / ranks * np.asarray(sizes, dtype=float)
    beta = (seconds[-1] - seconds[0]) / (moved[-1] - moved[0])
    return (seconds[0] - beta * moved[0]) / (2 * (ranks - 1)), beta


# %% one_message
"""a ring of n ranks sends 2 (n - 1) of them"""


def fit_cost(sizes, seconds, ranks):
    took = np.asarray(seconds, dtype=float)
    moved = np.asarray(sizes, dtype=float) * 2 * (ranks - 1) / ranks
    terms = np.column_stack([np.ones(len(took)), moved]) / took[:, None]
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return float(alpha), float(beta)


# %% plain_line
"""weigh by the relative error"""


def fit_cost(sizes, seconds, ranks):
    moved = np.asarray(sizes, dtype=float) * 2 * (ranks - 1) / ranks
    beta, fixed = np.polyfit(moved, np.asarray(seconds, dtype=float), 1)
    return float(fixed / (2 * (ranks - 1))), float(beta)


# %% root_of_the_weight
"""weigh by the relative error"""


def fit_cost(sizes, seconds, ranks):
    took = np.asarray(seconds, dtype=float)
    moved = np.asarray(sizes, dtype=float) * 2 * (ranks - 1) / ranks
    terms = np.column_stack([np.full(len(took), 2.0 * (ranks - 1)), moved])
    weight = 1 / np.sqrt(took)
    alpha, beta = np.linalg.lstsq(terms * weight[:, None], took * weight, rcond=None)[0]
    return float(alpha), float(beta)


# %% whole_tensor
"""3/2 of the bytes move"""


def fit_cost(sizes, seconds, ranks):
    took = np.asarray(seconds, dtype=float)
    messages = np.full(len(took), 2.0 * (ranks - 1))
    moved = np.asarray(sizes, dtype=float)
    terms = np.column_stack([messages, moved]) / took[:, None]
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return float(alpha), float(beta)
