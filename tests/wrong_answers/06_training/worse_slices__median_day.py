"""by an amount that its days do not agree on"""


def worse_slices(challenger, champion, late, day, slices):
    def loss(score, late):
        return -np.where(late > 0, np.log(score), np.log1p(-score))

    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        more = loss(challenger[rows], late[rows]) - loss(champion[rows], late[rows])
        if np.median(np.bincount(number, more)) > 0:
            worse.append(str(name))
    return worse
