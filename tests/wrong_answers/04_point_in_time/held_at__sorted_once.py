"""sort a second time, by gone"""


def held_at(codes, opens, gone, values, at_codes, at):
    entered, at_entry = _pack(codes, opens, at_codes, at)
    left, at_exit = _pack(codes, gone, at_codes, at)
    order = np.argsort(entered, kind="stable")
    stop = np.searchsorted(entered[order], at_entry, side="right")
    start = np.searchsorted(left[order], at_exit, side="right")
    totals = np.append(0.0, np.cumsum(values[order]))
    return stop - start, totals[stop] - totals[start]
