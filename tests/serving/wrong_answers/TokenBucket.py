"""Wrong answers to `TokenBucket` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% caps_at_the_rate
"""and no fewer: four calls wait"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        gained = max(now - self.then, 0.0) * self.rate_s
        self.tokens = self.tokens if not gained else min(self.tokens + gained, self.rate_s)
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% caps_one_higher
"""Cap them at `burst`, at no other number"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        gained = max(now - self.then, 0.0) * self.rate_s
        self.tokens = min(self.tokens + gained, self.burst + 1)
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% clock_goes_back
"""The clock went back from 10 to 5"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens = min(self.tokens + max(now - self.then, 0.0) * self.rate_s, self.burst)
        self.then = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% empties_when_full
"""and no fewer: four calls wait"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens += max(now - self.then, 0.0) * self.rate_s
        if self.tokens > self.burst:
            self.tokens = 1.0
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% forgets_the_time
"""Who comes back when told must get in"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        tokens = min(self.tokens + max(now - self.then, 0.0) * self.rate_s, self.burst)
        self.then = max(now, self.then)
        if tokens >= 1:
            self.tokens = tokens - 1
            return 0.0
        return (1 - tokens) / self.rate_s


# %% free_when_the_clock_goes_back
"""The clock went back from 10 to 5"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        if now < self.then:
            return 0.0
        self.tokens = min(self.tokens + (now - self.then) * self.rate_s, self.burst)
        self.then = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% no_cap
"""A minute of silence does not fill more than `burst` tokens in"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens += max(now - self.then, 0.0) * self.rate_s
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% one_short
"""Empty, and 2 tokens come back a second"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens = min(self.tokens + max(now - self.then, 0.0) * self.rate_s, self.burst)
        self.then = max(now, self.then)
        if self.tokens > 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% refills_only_when_empty
"""not only to an empty bucket"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        if self.tokens < 1:
            self.tokens = min(self.burst, self.tokens + max(now - self.then, 0) * self.rate_s)
            self.then = max(self.then, now)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% refused_calls_take
"""Do refused calls take tokens, or forget the time?"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens = min(self.tokens + max(now - self.then, 0.0) * self.rate_s, self.burst)
        self.then = max(now, self.then)
        self.tokens -= 1
        if self.tokens >= 0:
            return 0.0
        return -self.tokens / self.rate_s


# %% refuses_when_the_clock_goes_back
"""the clock went back: the calls still take them"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        if now < self.then:
            return 1 / self.rate_s
        self.tokens = min(self.tokens + (now - self.then) * self.rate_s, self.burst)
        self.then = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


# %% takes_none_when_the_clock_goes_back
"""the clock went back: the calls still take them"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens = min(self.tokens + max(now - self.then, 0.0) * self.rate_s, self.burst)
        if self.tokens >= 1:
            self.tokens -= now >= self.then
            self.then = max(now, self.then)
            return 0.0
        self.then = max(now, self.then)
        return (1 - self.tokens) / self.rate_s


# %% waits_a_whole_token
"""After 0.25 s half a token is there"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        self.tokens = min(self.tokens + max(now - self.then, 0.0) * self.rate_s, self.burst)
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return 1 / self.rate_s


# %% window
"""the caller waits half a second"""


class TokenBucket:
    def __init__(self, rate_s, burst, now=0.0):
        self.rate_s, self.burst, self.tokens, self.then = rate_s, burst, float(burst), now

    def take(self, now):
        if now - self.then >= 1:
            self.tokens, self.then = float(self.burst), now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return 1 - (now - self.then)
