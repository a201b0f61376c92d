"""keep the columns of the log, then `late`."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id").join(late.rename("late")).join(label_time.rename("label_time"))
    return last[(last["label_time"] <= until) & last["late"].notna()]
