"""Wrong answers to `psi` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_fixed_floor
"""however many rows there are"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")


# %% always_an_array
"""let _answer decide"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return ((q - p) * log_ratio(q, p)).sum(axis=-1)


# %% capped
"""has no upper limit"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    values = ((q - p) * log_ratio(q, p)).sum(axis=-1)
    return _answer(reference, np.minimum(values, 2.0), "psi")


# %% forgets_nulls
"""keep the bin for nulls"""


def psi(reference, current, bins=10):
    if not isinstance(current, pd.DataFrame):
        current = pd.Series(current).dropna()
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")


# %% forgets_profiles
"""and the profile of a table, give a Series"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    values = ((q - p) * log_ratio(q, p)).sum(axis=-1)
    if isinstance(reference, pd.DataFrame):
        return pd.Series(values, list(reference), name="psi")
    return float(values[0])


# %% ignores_bins
"""Hand all three on to `counts`"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")


# %% one_direction
"""That is KL, one direction only"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, (q * log_ratio(q, p)).sum(axis=-1), "psi")


# %% other_logarithm
"""with the natural logarithm"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1) / np.log(2), "psi")


# %% over_the_table
"""add up over the last axis only"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    total = ((q - p) * log_ratio(q, p)).sum()
    return _answer(reference, np.full(len(p), total), "psi")


# %% samples_swapped
"""Hand all three on to `counts`"""


def psi(reference, current, bins=10):
    p, q = shares(counts(current, reference, bins))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")


# %% signs_crossed
"""the same way round"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(p, q)).sum(axis=-1), "psi")
