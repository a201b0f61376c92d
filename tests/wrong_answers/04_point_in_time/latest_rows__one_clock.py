"""not available yet was used"""


def latest_rows(codes, event, available, at_codes, at):
    by_rule = np.lexsort((available, event, codes))
    rows, asked = _pack(codes[by_rule], event[by_rule], at_codes, at)
    rank = np.searchsorted(rows, asked, side="right") - 1
    found = np.where(rank < 0, -1, np.append(by_rule, -1)[rank])
    own_key = (at_codes >= 0) & (np.append(codes, -1)[found] == at_codes)
    return np.where(own_key, found, -1)
