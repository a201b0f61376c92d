"""Keep the order"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if gaps.var() > 1.5 * gaps.mean() ** 2:
        return "bursty"
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    return "uneven" if service_s.var() > 0.5 * service_s.mean() ** 2 else "as planned"
