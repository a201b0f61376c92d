"""3/2 of the bytes move"""


def fit_cost(sizes, seconds, ranks):
    took = np.asarray(seconds, dtype=float)
    messages = np.full(len(took), 2.0 * (ranks - 1))
    moved = np.asarray(sizes, dtype=float)
    terms = np.column_stack([messages, moved]) / took[:, None]
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return float(alpha), float(beta)
