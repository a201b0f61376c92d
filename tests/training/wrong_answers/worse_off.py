"""Wrong answers to `worse_off` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% no_correction
"""Many carriers, many chances"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    def excess(scores, late, weight):
        new, old = (training.log_loss(s, late, weight) for s in scores)
        return new - old

    worse = []
    for name in sorted(set(slices)):
        rows = slices == name
        if len(set(day[rows])) >= least_days:
            scores = [challenger[rows], champion[rows]]
            low, _ = day_interval(excess, scores, late[rows], day[rows], 100)
            if low > 0:
                worse.append(str(name))
    return worse


# %% no_least_days
"""flies on one day only"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    def excess(scores, late, weight):
        new, old = (training.log_loss(s, late, weight) for s in scores)
        return new - old

    worse = []
    for name in sorted(set(slices)):
        rows = slices == name
        scores = [challenger[rows], champion[rows]]
        low, _ = day_interval(excess, scores, late[rows], day[rows])
        if low > 0:
            worse.append(str(name))
    return worse


# %% not_sorted
"""as a list, sorted"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = -(late * np.log(challenger / champion))
    loss -= (1 - late) * np.log((1 - challenger) / (1 - champion))
    worse = []
    for name in sorted(set(slices), reverse=True):
        sums = pd.Series(loss[slices == name]).groupby(day[slices == name]).mean()
        if len(sums) >= 10 and sums.mean() > 4 * sums.sem():
            worse.append(str(name))
    return worse


# %% point_estimate
"""one terrible day"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    worse = []
    for name in sorted(set(slices)):
        rows = slices == name
        new, old = (training.log_loss(s[rows], late[rows]) for s in (challenger, champion))
        if new > old:
            worse.append(str(name))
    return worse


# %% rows_drawn
"""its flights share their day"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = -(late * np.log(challenger / champion))
    loss -= (1 - late) * np.log((1 - challenger) / (1 - champion))
    worse = []
    for name in sorted(set(slices)):
        rows = pd.Series(loss[slices == name])
        if rows.mean() > 3.2 * rows.sem():
            worse.append(str(name))
    return worse


# %% two_intervals
"""compare on the same days"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    worse = []
    for name in sorted(set(slices)):
        rows = slices == name
        low, _ = day_interval(training.log_loss, challenger[rows], late[rows], day[rows])
        _, high = day_interval(training.log_loss, champion[rows], late[rows], day[rows])
        if low > high:
            worse.append(str(name))
    return worse


# %% upside_down
"""has a lower loss with the challenger"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = -(late * np.log(champion / challenger))
    loss -= (1 - late) * np.log((1 - champion) / (1 - challenger))
    worse = []
    for name in sorted(set(slices)):
        sums = pd.Series(loss[slices == name]).groupby(day[slices == name]).mean()
        if len(sums) >= 10 and sums.mean() > 4 * sums.sem():
            worse.append(str(name))
    return worse


# %% one_slice_at_a_time
"""Many carriers, many chances"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = -(late * np.log(challenger / champion))
    loss -= (1 - late) * np.log((1 - challenger) / (1 - champion))
    worse = []
    for name in sorted(set(slices)):
        sums = pd.Series(loss[slices == name]).groupby(day[slices == name]).mean()
        limit = stats.t.ppf(0.975, len(sums) - 1)
        if len(sums) >= least_days and sums.mean() > limit * sums.sem():
            worse.append(str(name))
    return worse


# %% deviation_of_a_day
"""is six errors above 0"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = -(late * np.log(challenger / champion))
    loss -= (1 - late) * np.log((1 - challenger) / (1 - champion))
    share = 0.05 / len(set(slices))
    worse = []
    for name in sorted(set(slices)):
        days = pd.Series(loss[slices == name]).groupby(day[slices == name]).mean()
        if len(days) >= least_days and days.mean() > 1.96 * days.std():
            worse.append(str(name))
    return worse


# %% days_counted
"""loses little on 35 days"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = -(late * np.log(challenger / champion))
    loss -= (1 - late) * np.log((1 - challenger) / (1 - champion))
    share = 0.05 / len(set(slices))
    worse = []
    for name in sorted(set(slices)):
        days = pd.Series(loss[slices == name]).groupby(day[slices == name]).mean()
        if len(days) >= least_days and stats.binomtest(int((days > 0).sum()), len(days), alternative="greater").pvalue < share:
            worse.append(str(name))
    return worse


# %% squared_error
"""take log-loss"""


def worse_off(challenger, champion, late, day, slices, least_days=10):
    loss = (challenger - late) ** 2 - (champion - late) ** 2
    share = 0.05 / len(set(slices))
    worse = []
    for name in sorted(set(slices)):
        days = pd.Series(loss[slices == name]).groupby(day[slices == name]).mean()
        if len(days) >= least_days and days.mean() > stats.t.ppf(1 - share, len(days) - 1) * days.sem():
            worse.append(str(name))
    return worse
