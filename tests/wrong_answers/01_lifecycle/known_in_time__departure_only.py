"""What happens in the air"""


def known_in_time(columns):
    return [c for c in columns if not c.startswith("dep_") and c != "arr_delay"]
