"""A flight that the labels do not name"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable")
    last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    labels = late.loc[last.index]
    known = labels.notna() & (label_time.loc[last.index] <= until)
    return last.assign(late=labels)[known]
