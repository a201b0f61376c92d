"""Wrong answers to `known_in_time` (lab 01).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% departure_only
"""What happens in the air"""


def known_in_time(columns):
    return [c for c in columns if not c.startswith("dep_") and c != "arr_delay"]


# %% drops_the_timetable
"""The timetable is published"""


def known_in_time(columns):
    return [c for c in columns if "time" not in c and "delay" not in c and c != "tailnum"]


# %% keeps_the_plane
"""The plane may be swapped"""


def known_in_time(columns):
    late = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
    return [c for c in columns if c not in late]


# %% only_the_label
"""The departure is still two hours away"""


def known_in_time(columns):
    return [c for c in columns if c != "arr_delay"]


# %% own_order
"""Return only columns that were given"""


def known_in_time(columns):
    known = "month day sched_dep_time sched_arr_time carrier flight origin dest distance"
    return [c for c in known.split() if c in columns]


# %% forbids_what_it_knows
"""list what is known, not what is forbidden"""


def known_in_time(columns):
    late = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"}
    return [c for c in columns if c not in late]


# %% gives_a_generator
"""Return a list of names"""


def known_in_time(columns):
    known = "month day sched_dep_time sched_arr_time carrier flight origin dest distance"
    return (c for c in columns if c in known.split())


# %% forbids_taxi_out_too
"""list what is known, not what is forbidden"""


def known_in_time(columns):
    late = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"}
    return [c for c in columns if c not in late | {"taxi_out"}]


# %% removes_in_a_loop
"""Build a new list"""


def known_in_time(columns):
    known = "month day sched_dep_time sched_arr_time carrier flight origin dest distance"
    for column in columns:
        if column not in known.split():
            columns.remove(column)
    return columns


# %% changes_the_list_it_was_given
"""Build a new list"""


def known_in_time(columns):
    known = "month day sched_dep_time sched_arr_time carrier flight origin dest distance"
    columns[:] = [c for c in columns if c in known.split()]
    return columns
