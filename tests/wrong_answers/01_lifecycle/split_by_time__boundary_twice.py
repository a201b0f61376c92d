"""Training ends before cutoff - gap"""


def split_by_time(scheduled, cutoff, gap):
    learn = scheduled.index[scheduled <= cutoff - gap]
    return learn, scheduled.index[scheduled >= cutoff]
