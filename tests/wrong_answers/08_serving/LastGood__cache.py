"""its new answer counts"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        if all(name in self.rows and now - self.rows[name][0] <= self.most_age_s for name in names):
            return pd.concat([self.rows[name][1] for name in names], ignore_index=True)
        table = self.source.read(requests)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table
