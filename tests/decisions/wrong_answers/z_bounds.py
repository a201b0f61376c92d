"""Wrong answers to `z_bounds` (lab 11).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% alpha_over_looks
"""alpha / looks is Bonferroni"""


def z_bounds(kind, looks, alpha=0.05):
    return np.full(looks, stats.norm.ppf(1 - alpha / looks / 2))


# %% independent_looks
"""Looks share their data"""


def z_bounds(kind, looks, alpha=0.05):
    each = 1 - (1 - alpha) ** (1 / looks)
    return np.full(looks, stats.norm.ppf(1 - each / 2))


# %% one_look
"""the bound of one look"""


def z_bounds(kind, looks, alpha=0.05):
    return np.full(looks, stats.norm.ppf(1 - alpha / 2))


# %% both_sides_spend_alpha
"""Both sides together may err"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(looks / k)
    size = optimize.brentq(lambda c: crossing(c * shape) - 2 * alpha, 0.5, 5)
    return size * shape


# %% alpha_halved
"""do not halve `alpha`"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(looks / k)
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha / 2, 0.5, 5)
    return size * shape


# %% bounds_of_the_sum
"""These are bounds of S"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(looks / k)
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)
    return size * (shape if kind == "pocock" else shape * np.sqrt(k))


# %% strict_in_the_end
"""O'Brien-Fleming is strict early"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(k / looks)
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)
    return size * shape


# %% falls_as_one_over_k
"""The same |S| at each look"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else looks / k
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)
    return size * shape


# %% always_five_percent
"""Use the `alpha` that is asked for"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(looks / k)
    size = optimize.brentq(lambda c: crossing(c * shape) - 0.05, 0.5, 5)
    return size * shape


# %% one_number
"""One bound for each look"""


def z_bounds(kind, looks, alpha=0.05):
    shape = np.ones(looks)
    return optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)


# %% five_looks_for_any_number
"""4.562 belongs to five looks"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    if kind == "pocock":
        size = optimize.brentq(lambda c: crossing(np.full(looks, c)) - alpha, 0.5, 5)
        return np.full(looks, size)
    return 4.5617 / np.sqrt(k)


# %% one_shape_knows_alpha
"""Use `alpha` for both shapes"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(looks / k)
    error = alpha if kind == "pocock" else 0.05
    size = optimize.brentq(lambda c: crossing(c * shape) - error, 0.5, 5)
    return size * shape


# %% a_list
"""Return an array"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else np.sqrt(looks / k)
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)
    return [float(bound) for bound in size * shape]


# %% bracket_for_few_looks
"""your unknown leaves 0.5 to 5"""


def z_bounds(kind, looks, alpha=0.05):
    k = np.arange(1, looks + 1)
    shape = np.ones(looks) if kind == "pocock" else 1 / np.sqrt(k)
    size = optimize.brentq(lambda c: crossing(c * shape) - alpha, 0.5, 5)
    return size * shape
