"""Wrong answers to `survivors` (lab 11).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% stops_at_the_first_failure
"""The last one below carries all before"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    found = np.zeros(len(p), bool)
    for rank, place in enumerate(np.argsort(p), start=1):
        if p[place] > alpha * rank / len(p):
            break
        found[place] = True
    return found


# %% each_by_its_own_line
"""The last one below carries all before"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    rank = np.argsort(np.argsort(p)) + 1
    return p <= alpha * rank / len(p)


# %% unsorted
"""Answer in the order of the input"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    below = p <= alpha * np.arange(1, len(p) + 1) / len(p)
    last = np.flatnonzero(below)[-1] if below.any() else -1
    return np.arange(len(p)) <= last


# %% in_sorted_order
"""Answer in the order of the input"""


def survivors(pvalues, alpha=0.05):
    p = np.sort(pvalues)
    below = np.flatnonzero(p <= alpha * np.arange(1, len(p) + 1) / len(p))
    last = below[-1] if len(below) else -1
    return np.arange(len(p)) <= last


# %% sorts_the_input
"""Answer in the order of the input"""


def survivors(pvalues, alpha=0.05):
    pvalues.sort()
    below = np.flatnonzero(
        pvalues <= alpha * np.arange(1, len(pvalues) + 1) / len(pvalues)
    )
    last = below[-1] if len(below) else -1
    return np.arange(len(pvalues)) <= last


# %% rank_from_zero
"""The first rank is 1"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    below = np.flatnonzero(p[order] <= alpha * np.arange(len(p)) / len(p))
    found = np.zeros(len(p), bool)
    if len(below):
        found[order[: below[-1] + 1]] = True
    return found


# %% rank_one_too_high
"""Rank 1 of 4 has the line"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    below = np.flatnonzero(p[order] <= alpha * np.arange(2, len(p) + 2) / len(p))
    found = np.zeros(len(p), bool)
    if len(below):
        found[order[: below[-1] + 1]] = True
    return found


# %% bonferroni
"""alpha / m for all ranks is Bonferroni"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    return p <= alpha / len(p)


# %% no_correction
"""Rank 1 of 4 has the line"""


def survivors(pvalues, alpha=0.05):
    return np.asarray(pvalues) <= 0.05


# %% the_line_itself_falls
"""the line itself counts"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    below = np.flatnonzero(p[order] < alpha * np.arange(1, len(p) + 1) / len(p))
    found = np.zeros(len(p), bool)
    if len(below):
        found[order[: below[-1] + 1]] = True
    return found


# %% always_five_percent
"""Use the `alpha` that is asked for"""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    below = np.flatnonzero(p[order] <= 0.05 * np.arange(1, len(p) + 1) / len(p))
    found = np.zeros(len(p), bool)
    if len(below):
        found[order[: below[-1] + 1]] = True
    return found


# %% only_the_finds
"""One answer for each p-value"""


def survivors(pvalues, alpha=0.05):
    p = np.sort(pvalues)
    return p[p <= alpha * np.arange(1, len(p) + 1) / len(p)]


# %% holm
"""Holm has alpha / 3"""


def survivors(pvalues, alpha=0.05):
    return multipletests(np.array(pvalues), alpha, method="holm")[0]


# %% divided_once_more
"""Rank 1 of 4 has all of alpha / 4"""


def survivors(pvalues, alpha=0.05):
    return multipletests(np.array(pvalues), alpha, method="fdr_by")[0]


# %% order_of_the_sort
"""Answer in the order of the input."""


def survivors(pvalues, alpha=0.05):
    p = np.asarray(pvalues, float)
    order = np.argsort(p)
    lines = alpha * np.arange(1, len(p) + 1) / len(p)
    passed = np.flatnonzero(p[order] <= lines)
    stands = np.arange(len(p)) <= (passed[-1] if len(passed) else -1)
    return stands[order]
