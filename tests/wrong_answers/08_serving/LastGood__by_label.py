"""Do not match its rows by their index"""


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
        for at, name in requests["flight_id"].items():
            self.rows[name] = (now, table.loc[[at]])
        return table
