"""The plane may be swapped"""


def known_in_time(columns):
    late = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
    return [c for c in columns if c not in late]
