"""the latest event wins, not the latest arrival"""


def latest_rows(codes, event, available, at_codes, at):
    usable = np.maximum(event, available)
    order = np.lexsort((event, usable, codes))
    rows, asked = _pack(codes[order], usable[order], at_codes, at)
    rank = np.searchsorted(rows, asked, side="right") - 1
    found = np.where(rank < 0, -1, np.append(order, -1)[rank])
    own_key = (at_codes >= 0) & (np.append(codes, -1)[found] == at_codes)
    return np.where(own_key, found, -1)
