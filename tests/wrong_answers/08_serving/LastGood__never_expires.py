"""The rows are older than most_age_s"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except Exception:
            if not all(name in self.rows for name in names):
                raise
            return pd.concat([self.rows[name][1] for name in names], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table
