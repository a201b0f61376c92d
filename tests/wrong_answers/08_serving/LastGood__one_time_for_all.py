"""each row has an age of its own"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except Exception:
            if any(name not in self.rows for name in names) or now - self.then > self.most_age_s:
                raise
            return pd.concat([self.rows[name] for name in names], ignore_index=True)
        self.then = now
        self.rows |= {name: table.iloc[[at]] for at, name in enumerate(names)}
        return table
