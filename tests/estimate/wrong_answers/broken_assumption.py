"""Wrong answers to `broken_assumption` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% gaps_not_squared
"""Gaps: variance over squared mean"""


def broken_assumption(arrival_s, service_s):
    gaps_s = np.diff(arrival_s)
    if np.sum(service_s) >= gaps_s.sum():
        return "overloaded"
    if gaps_s.std() > 1.5 * gaps_s.mean():
        return "bursty"
    if np.var(service_s) > 0.5 * np.mean(service_s) ** 2:
        return "uneven"
    return "as planned"


# %% in_seconds
"""The unit of time must not matter"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5:
        return "bursty"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% load_per_second
"""Compare all the work with the time it had"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.max() >= gaps.max():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% not_squared
"""Service: variance over squared mean"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.std() > 1.5 * gaps.mean():
        return "bursty"
    return "uneven" if service_s.std() > 0.5 * service_s.mean() else "as planned"


# %% wrong_order
"""An overload explains all else"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% from_zero
"""A record need not start at zero"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= arrival_s[-1]:
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% never_bursty
"""Look at the gaps before the service"""


def broken_assumption(arrival_s, service_s):
    if service_s.sum() >= np.ptp(arrival_s):
        return "overloaded"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% never_uneven
"""Look at the spread of the service times"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    return "bursty" if gaps.var() > 1.5 * gaps.mean() ** 2 else "as planned"


# %% overloaded_from_seventy_percent
"""not overloaded"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= 0.7 * gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% overloaded_from_ninety_percent
"""not overloaded"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= 0.9 * gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% overloaded_from_115_percent
"""More work than time"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= 1.15 * gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% median_service
"""no median tells it"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if np.median(service_s) * len(service_s) >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% bursty_above_one
"""Gaps up to 1.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.0 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% bursty_above_1_2
"""Gaps up to 1.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.2 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% bursty_above_1_7
"""Gaps above 1.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.7 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% uneven_above_0_3
"""Service up to 0.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.3 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% uneven_above_0_4
"""Service up to 0.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.4 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% uneven_above_0_7
"""Service above 0.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.7 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% first_arrival_is_a_gap
"""21 arrivals have 20 gaps"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s, prepend=arrival_s[0])
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% zero_is_an_arrival
"""A record need not start at zero"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s, prepend=0)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% overloaded_above_the_time
"""As much work as time is an overload"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() > gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% bursty_from_the_limit
"""Gaps of just 1.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() >= 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() > 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"


# %% uneven_from_the_limit
"""Service of just 0.5"""


def broken_assumption(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.var() >= 0.5 * service_s.mean() ** 2:
        return "uneven"
    return "as planned"
