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
