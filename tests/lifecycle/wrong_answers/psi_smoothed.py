"""Wrong answers to `psi_smoothed` (lab 01).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% equal_width_bins
"""Cut at the reference"""


def psi_smoothed(reference, current, bins=10):
    edges = np.linspace(reference.min(), reference.max(), bins + 1)
    p, q = (np.histogram(v, edges)[0] + 0.5 for v in (reference, current))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


# %% not_smoothed
"""An empty bin still gives inf"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = p / len(reference), q / len(current)
    with np.errstate(divide="ignore"):
        return float(np.sum((q - p) * np.log(q / p)))


# %% old_total
"""Add 0.5 to each count"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = (p + 0.5) / len(reference), (q + 0.5) / len(current)
    return float(np.sum((q - p) * np.log(q / p)))


# %% only_the_current
"""A bin of the reference can be empty too"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = p / len(reference), (q + 0.5) / (len(current) + 0.5 * bins)
    with np.errstate(divide="ignore"):
        return float(np.sum((q - p) * np.log(q / p)))


# %% skips_empty_bins
"""keep them, do not skip them"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = p / len(reference), q / len(current)
    keep = (p > 0) & (q > 0)
    p, q = p[keep], q[keep]
    return float(np.sum((q - p) * np.log(q / p)))


# %% tiny_floor
"""Add 0.5 to each count"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p = np.maximum(p / len(reference), 1e-4)
    q = np.maximum(q / len(current), 1e-4)
    return float(np.sum((q - p) * np.log(q / p)))


# %% closed_on_the_right
"""A value that equals a cut belongs to the bin above it"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="left"), minlength=bins) + 0.5
        for v in (reference, current)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


# %% pandas_cut
"""where two cuts coincide"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    edges = [-np.inf, *cuts, np.inf]
    p, q = (
        pd.Series(pd.cut(v, edges, right=False)).value_counts(sort=False).to_numpy()
        + 0.5
        for v in (reference, current)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


# %% one_side_of_it
"""you get one half of the PSI"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins) + 0.5
        for v in (reference, current)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(q * np.log(q / p)))


# %% smooths_empty_bins_alone
"""Add 0.5 to each count"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = np.where(p == 0, 0.5, p), np.where(q == 0, 0.5, q)
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


# %% always_ten_bins
"""into `bins` bins"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, 10) / 10)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=10) + 0.5
        for v in (reference, current)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


# %% bins_of_both_samples
"""The bins are those of `reference` alone"""


def psi_smoothed(reference, current, bins=10):
    both = np.concatenate([reference, current])
    cuts = np.quantile(both, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins) + 0.5
        for v in (reference, current)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))
