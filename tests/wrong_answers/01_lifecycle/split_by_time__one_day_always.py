"""Use the gap that is given"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled < cutoff - pd.Timedelta(days=1)]
    return learn, scheduled.index[scheduled >= cutoff]
