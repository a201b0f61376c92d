"""Wrong answers to `choose_lateness` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% always_answers
"""the owner must decide again"""


def choose_lateness(events, candidates, most_late):
    for minutes in sorted(candidates):
        if len(tumble(events, "1h", f"{minutes}min")[1]) <= most_late * len(events):
            return minutes
    return minutes


# %% longest_delay
"""300 minutes is longer than needed"""


def choose_lateness(events, candidates, most_late):
    longest = (events.available_at - events.event_time).max() / pd.Timedelta("1min")
    for minutes in sorted(candidates):
        if minutes >= longest:
            return minutes
    raise ValueError("no candidate is long enough")


# %% share_of_delayed
"""Count what tumble sets aside"""


def choose_lateness(events, candidates, most_late):
    delay_min = (events.available_at - events.event_time) / pd.Timedelta("1min")
    for minutes in sorted(candidates):
        if (delay_min > minutes).mean() <= most_late:
            return minutes
    raise ValueError("no candidate is long enough")


# %% unsorted
"""300 minutes is longer than needed"""


def choose_lateness(events, candidates, most_late):
    for minutes in candidates:
        if len(tumble(events, "1h", f"{minutes}min")[1]) <= most_late * len(events):
            return minutes
    raise ValueError("no candidate is long enough")
