"""300 minutes is longer than needed"""


def choose_lateness(events, candidates, most_late):
    for minutes in candidates:
        if len(tumble(events, "1h", f"{minutes}min")[1]) <= most_late * len(events):
            return minutes
    raise ValueError("no candidate is long enough")
