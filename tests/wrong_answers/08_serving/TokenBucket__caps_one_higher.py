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
