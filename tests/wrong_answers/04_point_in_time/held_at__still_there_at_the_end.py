"""out at the very time it goes"""


def held_at(codes, opens, gone, values, at_codes, at):
    count, total = np.zeros(len(at), np.int64), np.zeros(len(at))
    for times, sign, side in ((opens, 1, "right"), (gone, -1, "left")):
        rows, asked = _pack(codes, times, at_codes, at)
        order = np.argsort(rows, kind="stable")
        until = np.searchsorted(rows[order], asked, side=side)
        count += sign * until
        total += sign * np.append(0.0, np.cumsum(values[order]))[until]
    return count, total
