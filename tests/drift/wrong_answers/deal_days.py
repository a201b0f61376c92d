"""Wrong answers to `deal_days` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% deals_rows
"""days were torn apart"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    total = counts.sum(axis=0)
    rows = round(counts.sum() * current_days / len(counts))
    now = rng.multivariate_hypergeometric(total, rows, draws)
    return psi_of_counts(total - now, now)


# %% with_replacement
"""one came twice and another was gone"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        days = rng.integers(0, len(counts), len(counts))
        now, before = counts[days[:current_days]], counts[days[current_days:]]
        found.append(psi_of_counts(before.sum(axis=0), now.sum(axis=0)))
    return np.array(found)


# %% within_the_samples
"""Every deal gives the same PSI"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    before, now = counts[:-current_days], counts[-current_days:]
    found = []
    for _ in range(draws):
        one, two = rng.permutation(before), rng.permutation(now)
        found.append(psi_of_counts(one.sum(axis=0), two.sum(axis=0)))
    return np.array(found)


# %% a_new_generator_each_time
"""make the generator once"""


def deal_days(counts, current_days, draws, seed=0):
    found = []
    for _ in range(draws):
        days = np.random.default_rng(seed).permutation(counts)
        now = days[:current_days].sum(axis=0)
        found.append(psi_of_counts(counts.sum(axis=0) - now, now))
    return np.array(found)


# %% halves
"""As many days as `current_days` says"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        days = rng.permutation(counts)
        half = len(counts) // 2
        found.append(psi_of_counts(days[half:].sum(axis=0), days[:half].sum(axis=0)))
    return np.array(found)


# %% the_other_way_round
"""whole days gives this PSI"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        days = rng.permutation(counts)
        rest = len(counts) - current_days
        found.append(psi_of_counts(days[rest:].sum(axis=1), days[:rest].sum(axis=1)[:3]))
    return np.array(found)


# %% one_day_only
"""whole days gives this PSI"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        now = rng.permutation(counts)[0]
        found.append(psi_of_counts(counts.sum(axis=0) - now, now))
    return np.array(found)


# %% all_days_before
"""Before is what is left, not all days"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        now = rng.permutation(counts)[:current_days].sum(axis=0)
        found.append(psi_of_counts(counts.sum(axis=0), now))
    return np.array(found)


# %% a_single_deal
"""One PSI for each of the draws"""


def deal_days(counts, current_days, draws, seed=0):
    days = np.random.default_rng(seed).permutation(counts)
    now = days[:current_days].sum(axis=0)
    return psi_of_counts(counts.sum(axis=0) - now, now)


# %% no_seed
"""Same seed, same deals"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng()
    found = []
    for _ in range(draws):
        now = rng.permutation(counts)[:current_days].sum(axis=0)
        found.append(psi_of_counts(counts.sum(axis=0) - now, now))
    return np.array(found)


# %% a_fixed_seed
"""Use the seed that is asked for"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        now = rng.permutation(counts)[:current_days].sum(axis=0)
        found.append(psi_of_counts(counts.sum(axis=0) - now, now))
    return np.array(found)


# %% shuffles_its_input
"""Never change the input"""


def deal_days(counts, current_days, draws, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        rng.shuffle(counts)
        now = counts[:current_days].sum(axis=0)
        found.append(psi_of_counts(counts.sum(axis=0) - now, now))
    return np.array(found)
