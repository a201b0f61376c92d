"""Take the last answer by its time"""


def rebuild(served, late, label_time, *, until):
    first = served.sort_values("time", kind="stable").drop_duplicates("flight_id").set_index("flight_id")
    rows = first[label_time.reindex(first.index) <= until]
    return rows.assign(late=late.reindex(rows.index))
