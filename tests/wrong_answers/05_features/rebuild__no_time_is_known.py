"""A label without a time was not known"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable")
    last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    labels = late.reindex(last.index)
    known = labels.notna() & ~(label_time.reindex(last.index) > until)
    return last.assign(late=labels)[known]
