"""Wrong answers to `adjusted` (lab 10).

Each cell is one mistake; its text is the hint it must meet.
"""

# %% not_centred
"""centre the covariate"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    theta = np.cov(values, covariate)[0, 1] / covariate.var(ddof=1)
    return values - theta * covariate


# %% returns_what_is_left_over
"""The mean must stay"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    slope, intercept = np.polyfit(covariate, values, 1)
    return values - slope * covariate - intercept


# %% adds_instead_of_taking_away
"""this adds it once more"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    centred = covariate - covariate.mean()
    return values + values @ centred / (centred @ centred) * centred


# %% two_denominators
"""both with the same denominator"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    theta = np.cov(values, covariate)[0, 1] / covariate.var()
    return values - theta * (covariate - covariate.mean())


# %% a_correlation_for_a_slope
"""theta is a slope"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    theta = np.corrcoef(values, covariate)[0, 1]
    return values - theta * (covariate - covariate.mean())


# %% over_the_variance_of_the_values
"""over the variance of the covariate"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    theta = np.cov(values, covariate)[0, 1] / values.var(ddof=1)
    return values - theta * (covariate - covariate.mean())


# %% theta_is_one
"""theta is a slope"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    return values - (covariate - covariate.mean())


# %% changes_its_input
"""Never change the input"""


def adjusted(values, covariate):
    covariate = np.asarray(covariate, float)
    centred = covariate - covariate.mean()
    theta = (values - np.mean(values)) @ centred / (centred @ centred)
    values -= theta * centred
    return values


# %% returns_theta_too
"""one array, with one adjusted value for each unit, and nothing else"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    centred = covariate - covariate.mean()
    theta = (values - values.mean()) @ centred / (centred @ centred)
    return values - theta * centred, theta


# %% a_single_number
"""one adjusted value for each unit"""


def adjusted(values, covariate):
    values, covariate = np.asarray(values, float), np.asarray(covariate, float)
    centred = covariate - covariate.mean()
    theta = (values - values.mean()) @ centred / (centred @ centred)
    return float(np.mean(values - theta * centred))


# %% arrays_alone
"""Lists of whole numbers are values, too"""


def adjusted(values, covariate):
    centred = covariate - covariate.mean()
    theta = (values - values.mean()) @ centred / (centred @ centred)
    return values - theta * centred
