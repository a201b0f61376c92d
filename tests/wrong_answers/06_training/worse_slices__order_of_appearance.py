"""sort the names"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in dict.fromkeys(slices):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        scores = np.stack([challenger[rows], champion[rows]])
        low, _ = interval(
            lambda s, y, w: log_loss(s[0], y, w) - log_loss(s[1], y, w),
            scores, late[rows], number,
        )
        if low > 0:
            worse.append(str(name))
    return worse
