"""each flight's own newest row"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            self.table = self.source.read(requests)
        except Exception:
            pass
        return self.table
