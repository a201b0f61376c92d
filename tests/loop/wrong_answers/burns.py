"""Wrong answers to `burns` (lab 13).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_minute_short
"""`window` minutes"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window - 1 or 1, min_periods=1).sum()
    asked = pd.Series(total, dtype=float).rolling(window - 1 or 1, min_periods=1).sum()
    return (failed / asked.clip(lower=1) / (1 - objective)).to_numpy()


# %% budget_forgotten
"""The budget is 1 - objective"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window, min_periods=1).sum()
    asked = pd.Series(total, dtype=float).rolling(window, min_periods=1).sum()
    return (failed / asked.clip(lower=1)).to_numpy()


# %% changes_its_input
"""Never change the inputs"""


def burns(bad, total, objective, window):
    for counts in (bad, total):
        counts[:] = pd.Series(counts).rolling(window, min_periods=1).sum()
    return bad / np.maximum(total, 1) / (1 - objective)


# %% divided_by_the_objective
"""The budget is 1 - objective"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window, min_periods=1).sum()
    asked = pd.Series(total, dtype=float).rolling(window, min_periods=1).sum()
    return (failed / asked.clip(lower=1) / objective).to_numpy()


# %% looks_ahead
"""A window that looks ahead"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad[::-1], dtype=float).rolling(window, min_periods=1).sum()
    asked = pd.Series(total[::-1], dtype=float).rolling(window, min_periods=1).sum()
    return (failed / asked.clip(lower=1) / (1 - objective)).to_numpy()[::-1]


# %% mean_of_shares
"""a minute with one request"""


def burns(bad, total, objective, window):
    share = pd.Series(bad / np.maximum(total, 1))
    trailing = share.rolling(window, min_periods=1).mean()
    return (trailing / (1 - objective)).to_numpy()


# %% no_number_without_traffic
"""nothing burns where nobody asked"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window, min_periods=1).sum()
    asked = pd.Series(total, dtype=float).rolling(window, min_periods=1).sum()
    return (failed / asked / (1 - objective)).to_numpy()


# %% no_number_at_first
"""The first minutes"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window).sum()
    asked = pd.Series(total, dtype=float).rolling(window).sum()
    return (failed / asked.clip(lower=1) / (1 - objective)).to_numpy()


# %% zeros_at_first
"""The first minutes"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window).sum().fillna(0)
    asked = pd.Series(total, dtype=float).rolling(window).sum().fillna(0)
    return (failed / asked.clip(lower=1) / (1 - objective)).to_numpy()


# %% since_the_start
"""`window` minutes"""


def burns(bad, total, objective, window):
    share = np.cumsum(bad) / np.maximum(np.cumsum(total), 1)
    return share / (1 - objective)


# %% takes_arrays_only
"""Take lists, return an array"""


def burns(bad, total, objective, window):
    def trailing(counts):
        so_far = counts.cumsum().astype(float)
        return so_far - np.concatenate([np.zeros(window), so_far])[: len(so_far)]

    return trailing(bad) / np.maximum(trailing(total), 1) / (1 - objective)


# %% returns_a_list
"""Take lists, return an array"""


def burns(bad, total, objective, window):
    rates = []
    for end in range(1, len(bad) + 1):
        part = slice(max(end - window, 0), end)
        share = sum(bad[part]) / max(sum(total[part]), 1)
        rates.append(share / (1 - objective))
    return rates


# %% nothing_in_a_minute_without_requests
"""A minute without a request"""


def burns(bad, total, objective, window):
    failed = pd.Series(bad, dtype=float).rolling(window, min_periods=1).sum()
    asked = pd.Series(total, dtype=float).rolling(window, min_periods=1).sum()
    rates = (failed / asked.clip(lower=1) / (1 - objective)).to_numpy()
    return np.where(np.asarray(total) > 0, rates, 0)


# %% as_long_as_the_window
"""One rate for each minute, in a longer window"""


def burns(bad, total, objective, window):
    width = np.ones(window)
    failed, asked = (np.convolve(counts, width, "same") for counts in (bad, total))
    return failed / np.maximum(asked, 1) / (1 - objective)
