"""each flight's own newest row, by position"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except Exception:
            known = [self.rows.get(name, (-math.inf, None)) for name in names]
            if any(now - then > self.most_age_s for then, _ in known):
                raise
            return pd.concat([row for _, row in known], ignore_index=True)
        for name, rows in table.assign(flight_id=requests["flight_id"]).groupby("flight_id"):
            self.rows[name] = (now, rows.drop(columns="flight_id"))
        return table
