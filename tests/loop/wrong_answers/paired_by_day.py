"""Wrong answers to `paired_by_day` (lab 13).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% champion_less_challenger
"""Challenger less champion"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(champion, late) - losses(challenger, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    low, high = stats.ttest_1samp(days, 0).confidence_interval(1 - alpha)
    return days.mean(), low, high


# %% fixed_alpha
"""Use the `alpha` that is asked for"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    low, high = stats.ttest_1samp(days, 0).confidence_interval(0.95)
    return days.mean(), low, high


# %% flights_as_units
"""Each day counts alike"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    low, high = stats.ttest_1samp(excess, 0).confidence_interval(1 - alpha)
    return excess.mean(), low, high


# %% not_paired
"""Pair first"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    new, old = (
        pd.Series(losses(score, late)).groupby(np.asarray(day)).mean()
        for score in (challenger, champion)
    )
    mean = new.mean() - old.mean()
    error = np.sqrt((new.var() + old.var()) / len(new))
    half = stats.t.ppf(1 - alpha / 2, 2 * len(new) - 2) * error
    return mean, mean - half, mean + half


# %% one_sided
"""alpha / 2 at either end"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    half = stats.t.ppf(1 - alpha, len(days) - 1) * days.std() / np.sqrt(len(days))
    return days.mean(), days.mean() - half, days.mean() + half


# %% spread_of_days
"""standard error of a mean"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    half = stats.t.ppf(1 - alpha / 2, len(days) - 1) * days.std()
    return days.mean(), days.mean() - half, days.mean() + half


# %% spread_of_flights_over_days
"""Student's t for four days"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    error = excess.std() / np.sqrt(len(excess))
    half = stats.norm.ppf(1 - alpha / 2) * error
    return days.mean(), days.mean() - half, days.mean() + half


# %% squared_errors
"""Compare by log-loss"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    late = np.asarray(late, float)
    excess = (challenger - late) ** 2 - (champion - late) ** 2
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    low, high = stats.ttest_1samp(days, 0).confidence_interval(1 - alpha)
    return days.mean(), low, high


# %% no_low_end
"""The low end"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    _, high = stats.ttest_1samp(days, 0).confidence_interval(1 - alpha)
    return days.mean(), days.mean(), high


# %% normal_for_four_days
"""Student's t for four days"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    half = stats.norm.ppf(1 - alpha / 2) * days.std() / np.sqrt(len(days))
    return days.mean(), days.mean() - half, days.mean() + half


# %% variance_of_all_days
"""divide by days less one"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    error = days.std(ddof=0) / np.sqrt(len(days))
    half = stats.t.ppf(1 - alpha / 2, len(days) - 1) * error
    return days.mean(), days.mean() - half, days.mean() + half


# %% high_end_first
"""The low end comes first"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    low, high = stats.ttest_1samp(days, 0).confidence_interval(1 - alpha)
    return days.mean(), high, low


# %% level_alpha
"""The level of the interval is 1 - alpha"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    low, high = stats.ttest_1samp(days, 0).confidence_interval(alpha)
    return days.mean(), low, high


# %% freedom_of_flights
"""Degrees of freedom: days less one"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = losses(challenger, late) - losses(champion, late)
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    error = days.std() / np.sqrt(len(days))
    half = stats.t.ppf(1 - alpha / 2, len(excess) - 1) * error
    return days.mean(), days.mean() - half, days.mean() + half


# %% half_a_loss
"""A flight on time has a loss, too"""


def paired_by_day(champion, challenger, late, day, alpha=0.05):
    excess = late * (np.log(champion) - np.log(challenger))
    days = pd.Series(excess).groupby(np.asarray(day)).mean()
    low, high = stats.ttest_1samp(days, 0).confidence_interval(1 - alpha)
    return days.mean(), low, high
