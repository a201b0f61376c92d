"""Match labels by flight, and keep the order of the answers"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id")
    known = label_time.reindex(last.index) <= until
    return last[known].assign(late=late.dropna().to_numpy())
