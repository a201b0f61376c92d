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
