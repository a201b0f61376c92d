"""Wrong answers to `split_by_time` (lab 01).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% boundary_twice
"""Training ends before cutoff - gap"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled <= cutoff - gap]
    return learn, scheduled.index[scheduled >= cutoff]


# %% gap_held_out
"""Rows in the gap belong to neither side"""


def split_by_time(scheduled, cutoff, gap):
    first = cutoff - gap
    return scheduled.index[scheduled < first], scheduled.index[scheduled >= first]


# %% loses_the_cutoff
"""exactly at the cutoff"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - gap]
    return learn, scheduled.index[scheduled > cutoff]


# %% no_gap
"""The gap is missing"""


def split_by_time(scheduled, cutoff, gap):
    return scheduled.index[scheduled < cutoff], scheduled.index[scheduled >= cutoff]


# %% one_day_always
"""Use the gap that is given"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - pd.Timedelta(days=1)]
    return learn, scheduled.index[scheduled >= cutoff]


# %% returns_rows
"""Return index labels"""


def split_by_time(scheduled, cutoff, gap):
    return scheduled[scheduled < cutoff - gap], scheduled[scheduled >= cutoff]


# %% returns_sets
"""A set has no order"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - gap]
    return set(learn), set(scheduled.index[scheduled >= cutoff])


# %% sorts_by_time
"""Keep the labels in the order"""


def split_by_time(scheduled, cutoff, gap):
    ordered = scheduled.sort_values()
    learn = ordered.index[ordered < cutoff - gap]
    return learn, ordered.index[ordered >= cutoff]


# %% days_of_the_gap_alone
"""not its days or its whole hours alone"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - pd.Timedelta(days=gap.days)]
    return learn, scheduled.index[scheduled >= cutoff]


# %% first_of_june_always
"""Use the cutoff that is given"""


def split_by_time(scheduled, cutoff, gap):
    june = pd.Timestamp("2013-06-01")
    learn = scheduled.index[scheduled < june - gap]
    return learn, scheduled.index[scheduled >= june]


# %% sorts_the_labels
"""do not sort them"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - gap]
    return sorted(learn), sorted(scheduled.index[scheduled >= cutoff])


# %% returns_positions
"""Return index labels"""


def split_by_time(scheduled, cutoff, gap):
    learn = np.flatnonzero(scheduled < cutoff - gap)
    return learn, np.flatnonzero(scheduled >= cutoff)


# %% returns_masks
"""Return index labels"""


def split_by_time(scheduled, cutoff, gap):
    return scheduled < cutoff - gap, scheduled >= cutoff


# %% returns_training_alone
"""Return a pair"""


def split_by_time(scheduled, cutoff, gap):
    return scheduled.index[scheduled < cutoff - gap]


# %% whole_hours_of_the_gap_alone
"""not its days or its whole hours alone"""


def split_by_time(scheduled, cutoff, gap):
    hours = gap.days * 24 + gap.seconds // 3600
    learn = scheduled.index[scheduled < cutoff - pd.Timedelta(hours=hours)]
    return learn, scheduled.index[scheduled >= cutoff]


# %% compares_dates
"""Compare times, not dates"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - gap]
    return learn, scheduled.index[scheduled.dt.date >= cutoff.date()]
