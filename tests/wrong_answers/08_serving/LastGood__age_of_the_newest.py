"""each row has an age of its own"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except Exception:
            known = [self.rows.get(name, (-math.inf, None)) for name in names]
            if any(row is None for _, row in known) or now - max(then for then, _ in known) > self.most_age_s:
                raise
            return pd.concat([row for _, row in known], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table
