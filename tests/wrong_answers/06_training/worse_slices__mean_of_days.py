"""each flight counts once, not each day"""


def worse_slices(challenger, champion, late, day, slices):
    found = []
    for name in sorted(set(slices)):
        rows = slices == name
        number = np.unique(day[rows], return_inverse=True)[1]
        both = np.stack([challenger[rows], champion[rows]])
        loss = -np.where(late[rows] > 0, np.log(both), np.log1p(-both))
        flights = np.bincount(number)
        daily = np.bincount(number, loss[0] - loss[1]) / flights

        def mean(scores, late, weight, number=number, flights=flights, daily=daily):
            times = np.bincount(number, weight) / flights
            return float(np.average(daily, weights=times))

        if interval(mean, both, late[rows], number)[0] > 0:
            found.append(str(name))
    return found
