"""the owner must decide again"""


def choose_lateness(events, candidates, most_late):
    for minutes in sorted(candidates):
        if len(tumble(events, "1h", f"{minutes}min")[1]) <= most_late * len(events):
            return minutes
    return minutes
