"""sort by time, and the values with them"""


def held_at(codes, opens, gone, values, at_codes, at):
    count, total = np.zeros(len(at), np.int64), np.zeros(len(at))
    for times, sign in ((opens, 1), (gone, -1)):
        rows, asked = _pack(codes, times, at_codes, at)
        until = np.searchsorted(np.sort(rows), asked, side="right")
        count += sign * until
        total += sign * np.append(0.0, np.cumsum(values))[until]
    return count, total
