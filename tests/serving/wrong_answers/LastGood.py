"""Wrong answers to `LastGood` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% age_of_the_newest
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


# %% aligned
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


# %% by_label
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


# %% cache
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


# %% connection_errors_only
"""The source is down, whatever it raises"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except ConnectionError:
            known = [self.rows.get(name, (-math.inf, None)) for name in names]
            if any(now - then > self.most_age_s for then, _ in known):
                raise
            return pd.concat([row for _, row in known], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table


# %% first_answer
"""each flight's own newest row"""


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
        for at, name in enumerate(names):
            self.rows.setdefault(name, (now, table.iloc[[at]]))
        return table


# %% forgets_after_a_failure
"""A read that fails must not change what is remembered"""


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
                self.rows = {}
                raise
            return pd.concat([row for _, row in known], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table


# %% known_ones_only
"""Nobody asked for c before"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except Exception:
            known = [self.rows[name] for name in names if name in self.rows]
            if not known or any(now - then > self.most_age_s for then, _ in known):
                raise
            return pd.concat([row for _, row in known], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table


# %% last_request_only
"""remember the rows of all of them"""


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
        self.rows = {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table


# %% last_table
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


# %% never_expires
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


# %% one_time_for_all
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


# %% own_error
"""let the source's error through"""


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
                raise RuntimeError("nothing known") from None
            return pd.concat([row for _, row in known], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table


# %% strictly_younger
"""A row as old as most_age_s still counts"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source, self.most_age_s, self.clock, self.rows = source, most_age_s, clock, {}

    def read(self, requests):
        names, now = list(requests["flight_id"]), self.clock()
        try:
            table = self.source.read(requests)
        except Exception:
            known = [self.rows.get(name, (-math.inf, None)) for name in names]
            if any(now - then >= self.most_age_s for then, _ in known):
                raise
            return pd.concat([row for _, row in known], ignore_index=True)
        self.rows |= {name: (now, table.iloc[[at]]) for at, name in enumerate(names)}
        return table


# %% asks_until_it_answers
"""ask it once a read"""


class LastGood:
    def __init__(self, source, most_age_s, clock):
        self.source = source

    def read(self, requests):
        while True:
            try:
                return self.source.read(requests)
            except Exception:
                continue
