"""stored_s goes by position, whatever the index."""


def newest(rows, by, stored_s):
    stamp = pd.Series(_seconds(rows["event_time"]), rows.index)
    stored = pd.Series(stored_s, dtype="float64").reindex(rows.index)
    order = rows[~(stamp < stored)].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
