"""Wrong answers to `worse_slices` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% any_difference
"""`better` is better off"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        scores = np.stack([challenger[rows], champion[rows]])
        low, high = interval(
            lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
            scores, late[rows], number,
        )
        if low > 0 or high < 0:
            worse.append(str(name))
    return worse


# %% auc
"""ask for the log-loss"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        scores = np.stack([challenger[rows], champion[rows]])
        low, _ = interval(
            lambda s, y, w: auc(s[1], y, w) - auc(s[0], y, w),
            scores, late[rows], number,
        )
        if low > 0:
            worse.append(str(name))
    return worse


# %% by_flight
"""`noisy` had one terrible day"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        scores = np.stack([challenger[rows], champion[rows]])
        low, _ = interval(
            lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
            scores, late[rows], np.arange(rows.sum()),
        )
        if low > 0:
            worse.append(str(name))
    return worse


# %% days_with_gaps
"""number its days anew"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        scores = np.stack([challenger[rows], champion[rows]])
        low, _ = interval(
            lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
            scores, late[rows], day[rows],
        )
        if low > 0:
            worse.append(str(name))
    return worse


# %% gaps_left_out
"""number its days anew instead of leaving it out"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        scores = np.stack([challenger[rows], champion[rows]])
        try:
            low, _ = interval(
                lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
                scores, late[rows], day[rows],
            )
        except ZeroDivisionError:
            continue
        if low > 0:
            worse.append(str(name))
    return worse


# %% mean_of_days
"""each flight counts once, not each day"""


def worse_slices(challenger, champion, late, day, slices):
    found = []
    for name in sorted(set(slices)):
        rows = slices == name
        number = np.unique(day[rows], return_inverse=True)[1]
        both = np.stack([challenger[rows], champion[rows]])
        loss = -np.where(late[rows] > 0, np.log(both), np.log1p(-both))
        flights = np.bincount(number)
        daily = np.bincount(number, loss[0] - loss[1]) / flights

        def mean(scores, late, weight, number=number, flights=flights, daily=daily):
            times = np.bincount(number, weight) / flights
            return float(np.average(daily, weights=times))

        if interval(mean, both, late[rows], number)[0] > 0:
            found.append(str(name))
    return found


# %% median_day
"""by an amount that its days do not agree on"""


def worse_slices(challenger, champion, late, day, slices):
    def loss(score, late):
        return -np.where(late > 0, np.log(score), np.log1p(-score))

    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        more = loss(challenger[rows], late[rows]) - loss(champion[rows], late[rows])
        if np.median(np.bincount(number, more)) > 0:
            worse.append(str(name))
    return worse


# %% order_of_appearance
"""sort the names"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in dict.fromkeys(slices):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        scores = np.stack([challenger[rows], champion[rows]])
        low, _ = interval(
            lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
            scores, late[rows], number,
        )
        if low > 0:
            worse.append(str(name))
    return worse


# %% point_estimate
"""`noisy` had one terrible day"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        if log_loss(challenger[rows], late[rows]) > log_loss(champion[rows], late[rows]):
            worse.append(str(name))
    return worse


# %% standard_error_of_days
"""each flight counts once, not each day"""


def worse_slices(challenger, champion, late, day, slices):
    found = []
    for name in sorted(set(slices)):
        rows = slices == name
        number = np.unique(day[rows], return_inverse=True)[1]
        both = np.stack([challenger[rows], champion[rows]])
        loss = -np.where(late[rows] > 0, np.log(both), np.log1p(-both))
        daily = np.bincount(number, loss[0] - loss[1]) / np.bincount(number)
        if daily.mean() > 1.96 * daily.std(ddof=1) / len(daily) ** 0.5:
            found.append(str(name))
    return found


# %% two_intervals
"""two separate intervals overlap"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        new = interval(log_loss, challenger[rows], late[rows], number)
        old = interval(log_loss, champion[rows], late[rows], number)
        if new[0] > old[1]:
            worse.append(str(name))
    return worse
