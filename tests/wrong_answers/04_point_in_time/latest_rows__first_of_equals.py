"""take the latest available time, then the last row"""


def latest_rows(codes, event, available, at_codes, at):
    found = []
    for key, time in zip(at_codes, at):
        known = [
            i for i in range(len(codes))
            if codes[i] == key >= 0 and event[i] <= time and available[i] <= time
        ]
        found.append(max(known, key=lambda i: event[i], default=-1))
    return np.array(found, dtype=np.int64)
