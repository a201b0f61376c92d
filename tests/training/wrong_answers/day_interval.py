"""Wrong answers to `day_interval` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_day_twice_counts_once
"""A day that is drawn twice counts twice"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    found = []
    for _ in range(draws):
        chosen = rng.choice(days, len(days))
        found.append(metric(score, late, np.isin(day, chosen).astype(float)))
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% gaps_in_the_numbers
"""The numbers of days may have gaps"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    rng = np.random.default_rng(seed)
    count = int(day.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[day].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% no_new_draws
"""Every draw is the same month"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    found = []
    for _ in range(draws):
        chosen = rng.choice(days, len(days), replace=False)
        found.append(metric(score, late, np.isin(day, chosen).astype(float)))
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% ninety_percent
"""95% lies between"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.16, 0.84]))


# %% a_new_generator_each_time
"""The same seed must give the same interval"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place, seeds = np.unique(day, return_inverse=True)[1], day_interval.__dict__
    count = place.max() + 1
    calls = seeds.setdefault(tuple(day[:: len(day) // 30]), [])
    calls.append(seed)
    rng = np.random.default_rng([seed, len(calls)])
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% one_model_alone
"""it may hold two models"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    score = None if score is None else np.ravel(score)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% rows_drawn
"""Thirty days are thirty witnesses"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    rng = np.random.default_rng(seed)
    rows = len(day)
    drawn = rng.multinomial(rows, np.full(rows, 1 / rows), size=draws)
    found = [metric(score, late, times.astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% seed_ignored
"""Use the `seed`"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% too_few_draws
"""Call the metric once for each"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=100)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% weights_of_days
"""One weight for each row"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    count = len(np.unique(day))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    by_day = np.array([late[day == one].mean() for one in np.unique(day)])
    found = [metric(score, by_day, times.astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% five_and_ninety_five
"""95% lies between"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.05, 0.95]))


# %% days_in_order
"""Days may come in any order"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    size = np.unique(day, return_counts=True)[1]
    count = len(size)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, np.repeat(t, size).astype(float)) for t in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% a_normal_curve
"""symmetric or not"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    middle, half = np.mean(found), 1.96 * np.std(found)
    return middle - half, middle + half


# %% a_fixed_number_of_draws
"""for each of `draws` draws"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=200)
    found = [metric(score, late, times[place].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% labels_drawn_and_scores_not
"""Hand `late` on as it is"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    rng = np.random.default_rng(seed)
    days = np.unique(day)
    found = []
    for _ in range(draws):
        chosen = rng.choice(days, len(days))
        rows = np.concatenate([np.flatnonzero(day == one) for one in chosen])
        found.append(metric(score, late[rows], np.ones(len(rows))))
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% the_generator_in_the_loop
"""make the generator once"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    place = np.unique(day, return_inverse=True)[1]
    count = place.max() + 1
    found = []
    for _ in range(draws):
        rng = np.random.default_rng(seed)
        times = rng.multinomial(count, np.full(count, 1 / count))
        found.append(metric(score, late, times[place].astype(float)))
    return tuple(np.quantile(found, [0.025, 0.975]))


# %% the_number_as_a_place
"""index by their places"""


def day_interval(metric, score, late, day, draws=200, seed=0):
    count = len(np.unique(day))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[day].astype(float)) for times in drawn]
    return tuple(np.quantile(found, [0.025, 0.975]))
