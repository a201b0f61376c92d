"""A row that has gone out still counts"""


def held_at(codes, opens, gone, values, at_codes, at):
    rows, asked = _pack(codes, opens, at_codes, at)
    order = np.argsort(rows, kind="stable")
    until = np.searchsorted(rows[order], asked, side="right")
    first = np.searchsorted(codes[order], at_codes)
    totals = np.append(0.0, np.cumsum(values[order]))
    return until - first, totals[until] - totals[first]
