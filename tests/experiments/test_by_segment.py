"""Segments: corrected verdicts, none where there are too few, and no false winners."""

import numpy as np
import pandas as pd
import pytest
from flightline import experiments
from statsmodels.stats.multitest import multipletests


def units(seed=0, n=4_000, segments=20, effect=0.0, only=None):
    """Return units of segments; the effect is in all of them, or in one only."""
    rng = np.random.default_rng(seed)
    segment, treated = rng.integers(0, segments, n), rng.random(n) < 0.5
    there = treated if only is None else treated & (segment == only)
    value = rng.normal(0, 1, n) + effect * there
    table = pd.DataFrame({"values": value, "treated": treated})
    return table.assign(segment=np.char.add("S", segment.astype(str)))


def ours(table, **options):
    columns = (table[name] for name in ("values", "treated", "segment"))
    return experiments.by_segment(*columns, **{"least": 20} | options)


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_adjusted_as_statsmodels(method, theirs):
    found = ours(units(effect=0.2), method=method)
    expected = multipletests(found["pvalue"], method=theirs)
    np.testing.assert_allclose(found["adjusted"], expected[1], rtol=1e-12)
    assert ((found["verdict"] == "higher") == expected[0]).all()
    assert 0 < expected[0].sum() < 20


def test_each_row_is_welch_in_its_segment():
    table = units()
    found = ours(table)
    assert list(found.columns) == experiments.SEGMENT
    for name, row in found.iterrows():
        mine = table[table["segment"] == name]
        arm = mine["treated"]
        effect = experiments.mean_effect(mine["values"][arm], mine["values"][~arm])
        assert (row["estimate"], row["low"], row["high"], row["pvalue"]) == (
            effect.estimate,
            effect.low,
            effect.high,
            effect.pvalue,
        )
        assert (row["treated"], row["control"]) == (arm.sum(), (~arm).sum())


def test_nothing_changed_makes_winners_without_correction_only():
    plain, holm = 0, 0
    for seed in range(150):
        found = ours(units(seed))
        plain += (found["pvalue"] < 0.05).any()
        holm += (found["verdict"] != "not shown").any()
    assert plain / 150 > 0.5
    assert holm / 150 < 0.1


def test_a_segment_with_an_effect_is_named_with_its_direction():
    for effect, verdict in ((0.8, "higher"), (-0.8, "lower")):
        found = ours(units(effect=effect, only=3))
        assert found.loc["S3", "verdict"] == verdict
        assert (found.drop("S3")["verdict"] == "not shown").all()


def test_clusters_take_their_errors_along():
    """Days were assigned: by rows nearly all segments win, by days almost none."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(60), 100)
    treated = (rng.permutation(60) < 30)[day]
    value = rng.normal(0, 1, 60)[day] + rng.normal(0, 1, len(day))
    table = pd.DataFrame({"values": value, "treated": treated})
    table["segment"] = rng.integers(0, 10, len(day))
    by_rows, by_days = ours(table), ours(table, cluster=day)
    assert (by_rows["pvalue"] < 0.05).sum() > (by_days["pvalue"] < 0.05).sum()
    assert (by_days["treated"] == 30).all()
    one = table["segment"] == 4
    effect = experiments.clustered_effect(value[one], treated[one], day[one])
    assert by_days.loc[4, "pvalue"] == pytest.approx(effect.pvalue, rel=1e-9)


def test_small_empty_and_constant_segments_get_no_verdict():
    table = units(segments=3)
    more = pd.DataFrame(
        {
            "values": [1.0] * 60 + list(range(10)) + list(range(30)),
            "treated": [True, False] * 35 + [True] * 30,
            "segment": ["flat"] * 60 + ["few"] * 10 + ["one arm"] * 30,
        }
    )
    found = ours(pd.concat([table, more], ignore_index=True))
    assert found.loc["flat", "verdict"] == "constant metric"
    assert found.loc["few", "verdict"] == "fewer than 20 units in an arm"
    assert found.loc["one arm", "verdict"] == "fewer than 20 units in an arm"
    numbers = ["estimate", "low", "high", "pvalue", "adjusted"]
    assert found.loc[["flat", "few", "one arm"], numbers].isna().all().all()
    alone = ours(table)["adjusted"]
    pd.testing.assert_series_equal(found.loc[alone.index, "adjusted"], alone)


def test_no_segment_is_large_enough():
    found = ours(units(n=100), least=1_000)
    assert found["verdict"].str.startswith("fewer than 1000").all()
    assert found["adjusted"].isna().all()


def test_a_segment_without_outcomes_is_not_in_the_table_of_numbers():
    table = units(segments=2)
    table.loc[table["segment"] == "S0", "values"] = np.nan
    found = ours(table)
    assert found.loc["S0", "treated"] == 0
    assert found.loc["S0", "verdict"].startswith("fewer than")


@pytest.mark.parametrize("kind", ["category", "string", object])
def test_segments_of_any_type_and_repeated_indexes(kind):
    table = units()
    typed = table.astype({"segment": kind}).set_axis([5] * len(table))
    assert (ours(typed).to_numpy() == ours(table).to_numpy()).all()


def test_segments_of_mixed_types_are_sorted_as_texts():
    table = units(segments=2)
    table["segment"] = table["segment"].map({"S0": 10, "S1": "9"}).astype(object)
    assert list(ours(table).index) == [10, "9"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "none"}, "method='none'"),
        ({"least": 1}, "least=1"),
        ({"alpha": 1}, "alpha"),
        ({"cluster": [1, 2]}, "length"),
    ],
)
def test_what_is_no_request_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ours(units(n=100), **change)


def test_a_missing_segment_is_refused():
    table = units(n=100)
    table.loc[3, "segment"] = None
    with pytest.raises(ValueError, match="segment is missing in 1 of 100"):
        ours(table)


def test_an_arm_without_units_has_a_named_state():
    with pytest.raises(experiments.NotEstimable, match="empty arm"):
        ours(units(n=100).assign(treated=True))
