"""each flight counts once, not each day"""


def worse_slices(challenger, champion, late, day, slices):
    found = []
    for name in sorted(set(slices)):
        rows = slices == name
        number = np.unique(day[rows], return_inverse=True)[1]
        both = np.stack([challenger[rows], champion[rows]])
        loss = -np.where(late[rows] > 0, np.log(both), np.log1p(-both))
        daily = np.bincount(number, loss[0] - loss[1]) / np.bincount(number)
        if daily.mean() > 1.96 * daily.std(ddof=1) / len(daily) ** 0.5:
            found.append(str(name))
    return found
