"""keep the columns of the log, then `late`."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id").drop(columns="time")
    known = (label_time.reindex(last.index) <= until) & late.reindex(last.index).notna()
    return last.assign(late=late.reindex(last.index))[known]
