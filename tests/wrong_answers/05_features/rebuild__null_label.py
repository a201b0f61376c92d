"""No label, no row."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id")
    rows = last[label_time.reindex(last.index) <= until]
    return rows.assign(late=late.reindex(rows.index))
