"""A feature that was served as null stays null"""


def rebuild(served, late, label_time, *, until):
    last = served.dropna().sort_values("time", kind="stable")
    last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    rows = last[label_time.reindex(last.index) <= until]
    return rows.assign(late=late.reindex(rows.index))
