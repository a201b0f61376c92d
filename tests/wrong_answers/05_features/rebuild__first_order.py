"""Sort by the time of the last answer"""


def rebuild(served, late, label_time, *, until):
    ordered = served.sort_values("time", kind="stable")
    last = ordered.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    last = last.reindex(ordered["flight_id"].drop_duplicates())
    known = (label_time.reindex(last.index) <= until) & late.reindex(last.index).notna()
    return last.assign(late=late.reindex(last.index))[known]
