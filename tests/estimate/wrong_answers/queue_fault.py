"""Wrong answers to `queue_fault` (lab 02).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% gaps_not_squared
"""The coefficient of the gaps is squared, too"""


def queue_fault(arrival_s, service_s):
    gaps_s = np.diff(arrival_s)
    if np.sum(service_s) >= gaps_s.sum():
        return "overloaded"
    if gaps_s.std() > 1.5 * gaps_s.mean():
        return "bursty"
    if np.var(service_s) > 0.5 * np.mean(service_s) ** 2:
        return "uneven"
    return "as planned"


# %% in_seconds
"""must not depend on the unit of time"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5:
        return "bursty"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% load_per_second
"""Compare all the work with the time"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.max() >= gaps.max():
        return "overloaded"
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"


# %% not_squared
"""The coefficient is squared"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.std() > 1.5 * gaps.mean():
        return "bursty"
    return "uneven" if service_s.std() > 0.5 * service_s.mean() else "as planned"


# %% wrong_order
"""Keep the order"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"
