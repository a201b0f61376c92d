"""The timetable is published"""


def known_in_time(columns):
    return [c for c in columns if "time" not in c and "delay" not in c and c != "tailnum"]
