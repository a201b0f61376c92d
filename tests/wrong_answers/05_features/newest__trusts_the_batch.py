"""A row older than what the store holds was written"""


def newest(rows, by, stored_s):
    order = rows.sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
