"""perhaps from another key"""


def latest_rows(codes, event, available, at_codes, at):
    by_rule = np.lexsort((available, event, codes))
    usable = np.maximum(event, available)[by_rule]
    rows, asked = _pack(codes[by_rule], usable, at_codes, at)
    by_arrival = np.argsort(rows, kind="stable")
    best = np.append(-1, np.maximum.accumulate(by_arrival))
    rank = best[np.searchsorted(rows[by_arrival], asked, side="right")]
    return np.append(by_rule, -1)[rank]
