"""Count what tumble sets aside"""


def choose_lateness(events, candidates, most_late):
    delay_min = (events.available_at - events.event_time) / pd.Timedelta("1min")
    for minutes in sorted(candidates):
        if (delay_min > minutes).mean() <= most_late:
            return minutes
    raise ValueError("no candidate is long enough")
