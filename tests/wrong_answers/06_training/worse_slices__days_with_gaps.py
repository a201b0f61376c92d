"""number its days anew"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        scores = np.stack([challenger[rows], champion[rows]])
        low, _ = interval(
            lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
            scores, late[rows], day[rows],
        )
        if low > 0:
            worse.append(str(name))
    return worse
