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
