"""the error must say so"""


def batch_plan(cost, rate_s, deadline_ms, most=256):
    for n in range(1, most + 1):
        worst = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
        if cost.per_s(n) >= rate_s and worst <= deadline_ms:
            return n, worst
    raise ValueError("no capacity")
