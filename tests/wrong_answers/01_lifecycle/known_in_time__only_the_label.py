"""The departure is still two hours away"""


def known_in_time(columns):
    return [c for c in columns if c != "arr_delay"]
