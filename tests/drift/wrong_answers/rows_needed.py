"""Wrong answers to `rows_needed` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_coarse_grid
"""not one beside it"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(2, 20_000, 7)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= power][0])


# %% always_five_in_a_hundred
"""it belongs into the threshold"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(0.95, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= power][0])


# %% always_ten_bins
"""More bins need more rows"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, 9)
    found = stats.ncx2.sf(limit, 9, drift * rows / 2)
    return int(rows[found >= power][0])


# %% an_upper_limit
"""there is no upper limit"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0:
        raise ValueError(f"drift={drift}")
    if not alpha < power < 1:
        raise ValueError(f"power={power}")
    for n in range(2, 5000):
        limit = psi_threshold(n, n, bins, alpha) * n / 2
        if stats.ncx2.sf(limit, bins - 1, drift * n / 2) >= power:
            return n


# %% any_power_above_zero
"""must each give a ValueError that names the argument"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or power < alpha:
        raise ValueError(f"drift={drift}, power={power}")
    power = min(power, 0.999)
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= power][0])


# %% even_chance
"""use the power that is asked for"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= 0.5][0])


# %% never_refuses
"""must each give a ValueError"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    rows, limit = np.arange(2, 20_000), stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(np.append(rows[found >= power], 20_000)[0])


# %% nine_degrees_in_the_tail
"""in the threshold and in the tail"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, 9, drift * rows / 2)
    return int(rows[found >= power][0])


# %% one_sample
"""The noncentrality is drift * n / 2"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows)
    return int(rows[found >= power][0])


# %% only_zero_is_refused
"""must each give a ValueError that names the argument"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if drift == 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    drift = abs(drift)
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= power][0])


# %% starts_at_a_hundred
"""from the bottom up"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    rows = np.arange(100, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= power][0])
