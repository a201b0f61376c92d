"""must not depend on the unit of time"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.var() > 1.5:
        return "bursty"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"
