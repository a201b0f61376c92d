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
