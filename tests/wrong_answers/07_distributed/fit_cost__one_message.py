"""a ring of n ranks sends 2 (n - 1) of them"""


def fit_cost(sizes, seconds, ranks):
    took = np.asarray(seconds, dtype=float)
    moved = np.asarray(sizes, dtype=float) * 2 * (ranks - 1) / ranks
    terms = np.column_stack([np.ones(len(took)), moved]) / took[:, None]
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return float(alpha), float(beta)
