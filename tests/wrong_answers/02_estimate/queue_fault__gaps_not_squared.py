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
