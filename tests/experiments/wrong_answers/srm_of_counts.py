"""Wrong answers to `srm_of_counts` (lab 10).

Each cell is one mistake; its text is the hint it must meet.
"""

# %% not_divided_by_what_was_expected
"""divided by what was expected in the arm"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    share = np.array(list(weights.values())) / sum(weights.values())
    off = ((seen - seen.sum() * share) ** 2).sum()
    return float(stats.chi2.sf(off, len(seen) - 1))


# %% the_variance_of_a_binomial
"""with p alone, not p(1 - p)"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    share = np.array(list(weights.values())) / sum(weights.values())
    variance = seen.sum() * share * (1 - share)
    off = ((seen - seen.sum() * share) ** 2 / variance).sum()
    return float(stats.chi2.sf(off, len(seen) - 1))


# %% as_many_degrees_as_arms
"""Two arms have one degree of freedom"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    expected = seen.sum() * np.array(list(weights.values())) / sum(weights.values())
    return float(stats.chi2.sf(((seen - expected) ** 2 / expected).sum(), len(seen)))


# %% always_one_degree
"""Three arms: take every one"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    expected = seen.sum() * np.array(list(weights.values())) / sum(weights.values())
    return float(stats.chi2.sf(((seen - expected) ** 2 / expected).sum(), 1))


# %% one_sided
"""both sides count"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    share = list(weights.values())[-1] / sum(weights.values())
    spread = np.sqrt(seen.sum() * share * (1 - share))
    return float(stats.norm.sf((seen[-1] - seen.sum() * share) / spread))


# %% lower_tail
"""That is the lower tail"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    expected = seen.sum() * np.array(list(weights.values())) / sum(weights.values())
    off = ((seen - expected) ** 2 / expected).sum()
    return float(stats.chi2.cdf(off, len(seen) - 1))


# %% shares_instead_of_counts
"""Compare counts, not shares"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    share = np.array(list(weights.values())) / sum(weights.values())
    off = ((seen / seen.sum() - share) ** 2 / share).sum()
    return float(stats.chi2.sf(off, len(seen) - 1))


# %% equal_arms_expected
"""9 to 1 was asked for"""


def srm_of_counts(counts, weights):
    return float(stats.chisquare(list(counts.values())).pvalue)


# %% arms_by_their_order
"""Match arms by name"""


def srm_of_counts(counts, weights):
    seen = np.array(list(counts.values()), float)
    share = np.array(list(weights.values())) / sum(weights.values())
    return float(stats.chisquare(seen, seen.sum() * share).pvalue)


# %% divided_by_what_was_seen
"""Divide each square by what was expected"""


def srm_of_counts(counts, weights):
    seen = np.array([counts.get(arm, 0) for arm in weights], float)
    expected = seen.sum() * np.array(list(weights.values())) / sum(weights.values())
    off = ((seen - expected) ** 2 / seen).sum()
    return float(stats.chi2.sf(off, len(seen) - 1))


# %% a_loop_over_the_counts
"""An arm that `counts` lacks has 0"""


def srm_of_counts(counts, weights):
    total, off = sum(counts.values()), 0.0
    for arm in counts:
        expected = total * weights[arm] / sum(weights.values())
        off += (counts[arm] - expected) ** 2 / expected
    return float(stats.chi2.sf(off, len(weights) - 1))


# %% weights_taken_for_shares
"""Weights may have any sum"""


def srm_of_counts(counts, weights):
    seen = np.array([counts.get(arm, 0) for arm in weights], float)
    expected = seen.sum() * np.array(list(weights.values()))
    off = ((seen - expected) ** 2 / expected).sum()
    return float(stats.chi2.sf(off, len(seen) - 1))


# %% a_missing_arm_is_an_error
"""has 0; no KeyError"""


def srm_of_counts(counts, weights):
    seen = np.array([counts[arm] for arm in weights], float)
    expected = seen.sum() * np.array(list(weights.values())) / sum(weights.values())
    off = ((seen - expected) ** 2 / expected).sum()
    return float(stats.chi2.sf(off, len(seen) - 1))
