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
