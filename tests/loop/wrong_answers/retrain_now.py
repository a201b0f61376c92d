"""Wrong answers to `retrain_now` (lab 13).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_fixed_line
"""One day of storm"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    return len(gap) > 0 and bool(abs(gap.mean()) > 0.05)


# %% any_bad_day
"""Good and bad days"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    return len(by_day) >= 7 and bool(by_day.abs().max() > 0.1)


# %% changes_its_input
"""Never change the input"""


def retrain_now(scored, alpha=0.01):
    scored["gap"] = scored["late"].astype("Float64") - scored["score"]
    by_day = scored.dropna(subset="gap").groupby("day")["gap"].mean().astype(float)
    if len(by_day) < 7:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% few_days_are_enough
"""Two days are too few"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 2:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% fixed_alpha
"""Use the `alpha` that is asked for"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < 0.01)


# %% many_days_are_needed
"""Seven days are enough"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 20:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% missing_is_on_time
"""A missing label is not on time"""


def retrain_now(scored, alpha=0.01):
    gap = scored["late"].fillna(False).astype(float) - scored["score"]
    by_day = gap.groupby(scored["day"]).mean()
    if len(by_day) < 7:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% normal_for_seven_days
"""Student's t for seven days"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    z = by_day.mean() / (by_day.std() / np.sqrt(len(by_day)))
    return bool(2 * stats.norm.sf(abs(z)) < alpha)


# %% one_sided
"""look at both sides"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    test = stats.ttest_1samp(by_day, 0, alternative="greater")
    return bool(test.pvalue < alpha)


# %% retrains_where_all_is_well
"""leave the model alone"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue > alpha)


# %% rows_as_units
"""no independent witnesses"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    if known["day"].nunique() < 7:
        return False
    gap = known["late"].astype(float) - known["score"]
    return bool(stats.ttest_1samp(gap, 0).pvalue < alpha)


# %% six_days_are_enough
"""Six days are too few"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 6:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% alpha_for_each_direction
"""Both directions share `alpha`"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    t = by_day.mean() / (by_day.std() / np.sqrt(len(by_day)))
    return bool(abs(t) > stats.t.ppf(1 - alpha, len(by_day) - 1))


# %% variance_of_all_days
"""divide by days less one"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    if len(by_day) < 7:
        return False
    t = by_day.mean() / (by_day.std(ddof=0) / np.sqrt(len(by_day)))
    return bool(2 * stats.t.sf(abs(t), len(by_day) - 1) < alpha)


# %% counts_days_without_labels
"""Six days with labels and one without"""


def retrain_now(scored, alpha=0.01):
    if scored["day"].nunique() < 7:
        return False
    known = scored[scored["late"].notna()]
    gap = known["late"].astype(float) - known["score"]
    by_day = gap.groupby(known["day"]).mean()
    return len(by_day) > 1 and bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% scores_without_labels
"""Without its label an answer's score does not count"""


def retrain_now(scored, alpha=0.01):
    days = scored.groupby("day")
    by_day = (days["late"].mean() - days["score"].mean()).dropna().astype(float)
    if len(by_day) < 7:
        return False
    return bool(stats.ttest_1samp(by_day, 0).pvalue < alpha)


# %% not_paired
"""Subtract first, on each day"""


def retrain_now(scored, alpha=0.01):
    known = scored[scored["late"].notna()]
    days = known.astype({"late": float}).groupby("day")[["late", "score"]].mean()
    if len(days) < 7:
        return False
    return bool(stats.ttest_ind(days["late"], days["score"]).pvalue < alpha)
