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
