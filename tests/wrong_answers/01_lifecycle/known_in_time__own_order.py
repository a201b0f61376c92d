"""Return only columns that were given"""


def known_in_time(columns):
    known = "month day sched_dep_time sched_arr_time carrier flight origin dest distance"
    return [c for c in known.split() if c in columns]
