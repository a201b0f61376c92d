"""The coefficient is squared"""


def queue_fault(arrival_s, service_s):
    gaps = np.diff(arrival_s)
    if service_s.sum() >= gaps.sum():
        return "overloaded"
    if gaps.std() > 1.5 * gaps.mean():
        return "bursty"
    return "uneven" if service_s.std() > 0.5 * service_s.mean() else "as planned"
