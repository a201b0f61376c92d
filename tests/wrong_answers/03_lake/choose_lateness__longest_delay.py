"""300 minutes is longer than needed"""


def choose_lateness(events, candidates, most_late):
    longest = (events.available_at - events.event_time).max() / pd.Timedelta("1min")
    for minutes in sorted(candidates):
        if minutes >= longest:
            return minutes
    raise ValueError("no candidate is long enough")
