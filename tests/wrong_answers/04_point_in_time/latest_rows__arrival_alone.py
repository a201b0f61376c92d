"""A row known before its event"""


def latest_rows(codes, event, available, at_codes, at):
    found = []
    for key, time in zip(at_codes, at, strict=True):
        known = [
            (event[row], available[row], row)
            for row in range(len(codes))
            if key >= 0 and codes[row] == key and available[row] <= time
        ]
        found.append(max(known)[2] if known else -1)
    return np.array(found)
