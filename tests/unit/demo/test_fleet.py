"""What the demo fleet promises: its rows, the traps in its shapes, and the story told about it."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import polars as pl
import pytest

from dagster_project.demo.fleet import DEMO_DAYS, DEMO_LAST_DAY, Fleet, build_fleet
from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID
from dagster_project.errors import InputError

SCALE = 0.1
END = datetime.fromisoformat("2025-03-10")
RESIZED_AT = datetime.fromisoformat("2025-03-05 03:00")
DURING_OUTAGE = pl.col("timestamp").is_between(
    datetime.fromisoformat("2025-03-03 08:15"), datetime.fromisoformat("2025-03-03 12:25")
)

CONTRACT = {
    "resources": "resource_id type current_config account_id service team environment tags created_at config_changed_at",
    "decision_audit": "decision_id decision_time target action_type policy_id policy_version policy_name event_id "
    "event_time metrics payload outcome outcome_reason dry_run duration_ms incident_id",
    "policies": "policy_id version name definition created_at",
    "incidents": "incident_id title severity service status kind impact_started_at detected_at acknowledged_at "
    "declared_at identified_at mitigated_at impact_ended_at resolved_at slack_channel commander summary",
    "incident_action_items": "item_id incident_id title type priority owner due_on tracker tracker_key state created_at",
    "change_events": "change_id occurred_at service kind actor ref summary",
    "service_dependencies": "service depends_on kind",
    "services": "service team tier requests_per_day value_per_request_usd",
    "slos": "service name objective window_days",
    "sli_events": "service name timestamp good total",
}
UTILIZATION = (
    "resource_id timestamp cpu_avg cpu_max mem_avg mem_max net_in_bytes net_out_bytes disk_read_bytes "
    "disk_write_bytes disk_read_ops disk_write_ops cpu_credit_balance in_service"
)
PRIMARY_KEYS = {
    "resources": ["resource_id"],
    "decision_audit": ["decision_id"],
    "policies": ["policy_id", "version"],
    "incidents": ["incident_id"],
    "incident_action_items": ["item_id"],
    "change_events": ["change_id"],
    "service_dependencies": ["service", "depends_on"],
    "services": ["service"],
    "slos": ["service", "name"],
    "sli_events": ["service", "name", "timestamp"],
}
SHAPES = {
    "idle_oversized", "diurnal", "weekly_peak", "month_end_peak", "memory_bound", "short_spikes", "ramp_up",
    "resize_mid_window", "off_at_night", "batch_farm", "brand_new", "burst_credits", "service_emergency",
    "asg_emergency", "busy", "no_memory", "sparse", "spot", "eks_managed", "excluded", "network_bound",
}  # fmt: skip


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return build_fleet(scale=SCALE)


@pytest.fixture(scope="module")
def samples(fleet: Fleet) -> pl.DataFrame:
    shapes = pl.DataFrame({"resource_id": list(fleet.shape_of), "shape": list(fleet.shape_of.values())})
    resources = fleet.tables["resources"].select("resource_id", "type", "service")
    everything = pl.concat(fleet.utilization())
    return everything.join(shapes, on="resource_id").join(resources, on="resource_id")


def of(samples: pl.DataFrame, shape: str, *, days: int = DEMO_DAYS) -> pl.DataFrame:
    """The EC2 instances of a shape over the last ``days`` days."""
    recent = pl.col("timestamp") >= END - timedelta(days=days)
    return samples.filter(recent, pl.col("shape") == shape, pl.col("type") == "ec2_instance")


def each(samples: pl.DataFrame, value: pl.Expr) -> list[float]:
    """One number per resource."""
    return samples.group_by("resource_id").agg(value.alias("value"))["value"].to_list()


def config_of(fleet: Fleet, shape: str) -> list[dict[str, object]]:
    rows = fleet.tables["resources"].select("resource_id", "current_config").iter_rows()
    return [json.loads(config) for resource_id, config in rows if fleet.shape_of.get(resource_id) == shape]


def test_default_fleet_has_the_stated_size() -> None:
    kinds = dict(build_fleet().tables["resources"]["type"].value_counts().iter_rows())
    assert kinds == {"ec2_instance": 266, "autoscaling_group": 40, "rds_instance": 4, "ebs_volume": 6}


def test_two_builds_of_one_seed_are_identical() -> None:
    one, two = build_fleet(days=3, scale=SCALE), build_fleet(days=3, scale=SCALE)
    assert all(one.tables[name].equals(two.tables[name]) for name in CONTRACT)
    assert pl.concat(one.utilization()).equals(pl.concat(two.utilization()))


def test_series_may_be_read_twice() -> None:
    fleet = build_fleet(days=2, scale=SCALE)
    assert pl.concat(fleet.utilization()).equals(pl.concat(fleet.utilization()))


def test_another_seed_gives_other_series() -> None:
    one, two = (next(build_fleet(days=2, scale=SCALE, seed=seed).utilization()) for seed in (1, 2))
    assert not one["cpu_avg"].equals(two["cpu_avg"])


def test_a_larger_fleet_leaves_the_series_of_the_smaller_one_as_they_are() -> None:
    small, large = build_fleet(days=3, scale=SCALE), build_fleet(days=3, scale=0.3)
    assert set(small.shape_of.items()) < set(large.shape_of.items())
    of_large = pl.concat(large.utilization()).filter(pl.col("resource_id").is_in(list(small.shape_of)))
    assert of_large.equals(pl.concat(small.utilization()))
    resources = large.tables["resources"].join(small.tables["resources"].select("resource_id"), on="resource_id")
    assert resources.sort("resource_id").equals(small.tables["resources"])


def test_another_last_day_moves_every_instant_by_the_same_days() -> None:
    here, later = build_fleet(days=2, scale=SCALE), build_fleet(days=2, scale=SCALE, last_day=date(2025, 3, 23))
    assert next(later.utilization())["timestamp"].max() == datetime.fromisoformat("2025-03-23 23:55")
    moved = later.tables["incidents"]["detected_at"] - here.tables["incidents"]["detected_at"]
    assert moved.unique().to_list() == [timedelta(days=14)]


@pytest.mark.parametrize("bad", [{"days": 0}, {"days": 401}, {"scale": 0.0}, {"scale": 101.0}])
def test_arguments_out_of_bounds_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="demo fleet cannot"):
        build_fleet(**bad)


@pytest.mark.parametrize("table", CONTRACT)
def test_tables_have_exactly_the_columns_of_the_contract(fleet: Fleet, table: str) -> None:
    assert fleet.tables[table].columns == CONTRACT[table].split()
    assert set(fleet.tables) == set(CONTRACT)


@pytest.mark.parametrize("table", PRIMARY_KEYS)
def test_primary_keys_are_unique_and_never_null(fleet: Fleet, table: str) -> None:
    key = fleet.tables[table].select(PRIMARY_KEYS[table])
    assert key.is_duplicated().sum() == 0
    assert key.null_count().row(0) == (0,) * key.width


def test_utilization_has_the_columns_types_and_key_of_the_contract(fleet: Fleet) -> None:
    frames = list(fleet.utilization())
    assert max(frame["resource_id"].n_unique() for frame in frames) == 25
    everything = pl.concat(frames)
    assert everything.columns == UTILIZATION.split()
    assert everything.schema["timestamp"] == pl.Datetime("us")
    assert everything.schema["in_service"] == pl.Int32
    assert everything.select("resource_id", "timestamp").is_duplicated().sum() == 0
    assert everything["resource_id"].is_sorted()


def test_a_complete_series_is_35_days_of_288_five_minute_samples(samples: pl.DataFrame) -> None:
    one = of(samples, "idle_oversized").filter(pl.col("resource_id") == pl.col("resource_id").first())["timestamp"]
    assert len(one) == 35 * 288
    assert one.max() == datetime.fromisoformat("2025-03-09 23:55")
    assert one.diff().drop_nulls().unique().to_list() == [timedelta(minutes=5)]


def test_every_shape_exists_at_the_smallest_scale() -> None:
    smallest = build_fleet(days=1, scale=0.001)
    assert set(smallest.shape_of.values()) == SHAPES


def test_averages_are_below_maxima_and_percentages_are_in_bounds(samples: pl.DataFrame) -> None:
    assert samples.filter(pl.col("cpu_avg") >= pl.col("cpu_max")).height == 0
    assert samples.filter(pl.col("mem_avg") > pl.col("mem_max")).height == 0
    assert samples["cpu_avg"].min() > 0
    assert samples["cpu_max"].max() <= 100
    assert samples["mem_max"].max() <= 100


def test_ids_and_accounts_look_like_those_of_aws(fleet: Fleet) -> None:
    resources = fleet.tables["resources"]
    instances = resources.filter(pl.col("type") == "ec2_instance")
    assert instances["resource_id"].str.contains(r"^i-0[0-9a-f]{16}$").all()
    assert resources["account_id"].str.contains(r"^\d{12}$").all()


def test_idle_oversized_is_low_on_processor_and_memory_for_28_days(samples: pl.DataFrame) -> None:
    idle = samples.filter(pl.col("shape") == "idle_oversized", pl.col("timestamp") >= END - timedelta(days=28))
    assert max(each(idle, pl.col("cpu_max").max())) < 35
    assert max(each(idle, pl.col("mem_max").max())) < 35


def test_weekly_peak_is_75_percent_on_mondays_and_quiet_otherwise(samples: pl.DataFrame) -> None:
    peak = of(samples, "weekly_peak")
    monday = pl.col("timestamp").dt.weekday() == 1
    assert min(each(peak.filter(monday), pl.col("cpu_max").max())) >= 75
    assert max(each(peak.filter(~monday), pl.col("cpu_max").max())) < 20


def test_month_end_peak_lies_before_the_last_7_days_and_within_28(samples: pl.DataFrame) -> None:
    assert max(each(of(samples, "month_end_peak", days=7), pl.col("cpu_max").max())) < 35
    recent = of(samples, "month_end_peak", days=28)
    assert min(each(recent, pl.col("cpu_max").max())) >= 75
    hot_days = recent.filter(pl.col("cpu_max") > 50)["timestamp"].dt.date().unique().sort().to_list()
    assert hot_days == [date(2025, 2, 27), date(2025, 2, 28), date(2025, 3, 1)]


def test_memory_bound_is_idle_on_the_processor_and_82_to_90_percent_on_memory(samples: pl.DataFrame) -> None:
    bound = of(samples, "memory_bound")
    assert 4 <= bound["cpu_avg"].mean() <= 6
    assert bound["mem_avg"].min() >= 82
    assert bound["mem_avg"].max() <= 90


def test_short_spikes_reach_95_percent_several_times_a_day_and_hide_in_the_average(samples: pl.DataFrame) -> None:
    spiky = of(samples, "short_spikes")
    assert 10 <= spiky["cpu_avg"].mean() <= 14
    assert spiky["cpu_avg"].max() < 30
    a_day = spiky.filter(pl.col("cpu_max") >= 95).group_by("resource_id", pl.col("timestamp").dt.date()).len()["len"]
    assert (a_day.min(), a_day.max()) == (4, 8)


def test_ramp_up_grows_from_8_to_34_percent(samples: pl.DataFrame) -> None:
    ramp = of(samples, "ramp_up")
    ends = (DEMO_LAST_DAY - timedelta(days=34), DEMO_LAST_DAY)
    first, last = (ramp.filter(pl.col("timestamp").dt.date() == day)["cpu_avg"].mean() for day in ends)
    assert first == pytest.approx(8, abs=1)
    assert last == pytest.approx(34, abs=2.5)


def test_resize_mid_window_jumps_at_the_change_of_configuration(fleet: Fleet, samples: pl.DataFrame) -> None:
    changed = fleet.tables["resources"].filter(
        pl.col("resource_id").is_in([key for key, shape in fleet.shape_of.items() if shape == "resize_mid_window"])
    )["config_changed_at"]
    assert changed.to_list() == [RESIZED_AT, RESIZED_AT]
    resized = of(samples, "resize_mid_window")
    after = pl.col("timestamp") >= RESIZED_AT
    ratios = sorted(each(resized, pl.col("cpu_avg").filter(after).mean() / pl.col("cpu_avg").filter(~after).mean()))
    assert ratios == pytest.approx([0.5, 2.0], rel=0.1)


def test_off_at_night_has_no_samples_from_20_to_6(samples: pl.DataFrame) -> None:
    hours = of(samples, "off_at_night")["timestamp"].dt.hour().unique().sort().to_list()
    assert hours == list(range(6, 20))


def test_batch_farm_saturates_together_for_nine_hours_on_two_days(samples: pl.DataFrame) -> None:
    farm = of(samples, "batch_farm")
    hot = farm.filter(pl.col("cpu_avg") > 90).group_by("resource_id").agg(pl.col("timestamp").sort())["timestamp"]
    assert len(hot) == 3
    assert hot.n_unique() == 1
    assert len(hot[0]) == 2 * 9 * 12
    assert of(samples, "batch_farm", days=7)["cpu_max"].max() < 10


def test_brand_new_has_20_hours_of_samples(fleet: Fleet, samples: pl.DataFrame) -> None:
    assert each(of(samples, "brand_new"), pl.len()) == [240]
    (brand_new,) = [key for key, shape in fleet.shape_of.items() if shape == "brand_new"]
    created_at = fleet.tables["resources"].filter(pl.col("resource_id") == brand_new)["created_at"].item()
    assert created_at == datetime.fromisoformat("2025-03-09 04:00")


def test_burst_credits_drain_during_a_working_day(fleet: Fleet, samples: pl.DataFrame) -> None:
    assert {str(config["instance_type"]).partition(".")[0] for config in config_of(fleet, "burst_credits")} == {"t3"}
    friday = of(samples, "burst_credits").filter(pl.col("timestamp").dt.date() == date(2025, 3, 7))
    at = pl.col("timestamp").dt.hour()
    spent = each(friday, pl.col("cpu_credit_balance").filter(at == 8).first() - pl.col("cpu_credit_balance").min())
    assert min(spent) > 100
    assert samples.filter(pl.col("shape") != "burst_credits")["cpu_credit_balance"].null_count() > 0


def test_busy_has_a_99th_percentile_of_70_to_85(samples: pl.DataFrame) -> None:
    p99 = each(of(samples, "busy"), pl.col("cpu_max").quantile(0.99))
    assert min(p99) >= 70
    assert max(p99) <= 85


def test_no_memory_is_idle_without_memory_metrics(samples: pl.DataFrame) -> None:
    blind = of(samples, "no_memory")
    assert blind["mem_avg"].null_count() == blind["mem_max"].null_count() == blind.height
    assert blind["cpu_max"].max() < 35


def test_sparse_lacks_40_percent_of_the_samples(samples: pl.DataFrame) -> None:
    assert each(of(samples, "sparse"), pl.len() / (35 * 288)) == pytest.approx([0.6], abs=0.02)


def test_network_bound_is_near_the_baseline_of_the_next_smaller_size(fleet: Fleet, samples: pl.DataFrame) -> None:
    assert [config["instance_type"] for config in config_of(fleet, "network_bound")] == ["m5.2xlarge"]
    bound = of(samples, "network_bound")
    gbps = pl.col("net_out_bytes") * 8 / 300 / 1e9
    assert 0.9 * 1.25 <= each(bound, gbps.quantile(0.99))[0] <= 1.1 * 1.25
    assert bound["cpu_max"].max() < 35


def test_ownership_shapes_are_marked_in_configuration_or_tags(fleet: Fleet) -> None:
    assert {config["lifecycle"] for config in config_of(fleet, "spot")} == {"spot"}
    assert {config["managed_by"] for config in config_of(fleet, "eks_managed")} == {"eks"}
    tags = fleet.tables["resources"].filter(pl.col("tags").str.contains('"nightshift:exclude":"true"', literal=True))
    assert [fleet.shape_of[key] for key in tags["resource_id"]] == ["excluded"]


def test_groups_report_members_in_service_within_their_bounds(fleet: Fleet, samples: pl.DataFrame) -> None:
    groups = samples.filter(pl.col("type") == "autoscaling_group")
    assert groups["in_service"].null_count() == 0
    assert samples.filter(pl.col("type") != "autoscaling_group")["in_service"].is_null().all()
    busy = groups.filter(pl.col("shape") == "busy")["in_service"]
    assert busy.n_unique() > 1
    names = set(fleet.tables["resources"].filter(pl.col("type") == "autoscaling_group")["resource_id"])
    shapes = ("asg_emergency", "diurnal", "busy")
    listed = {config.get("asg_name") for shape in shapes for config in config_of(fleet, shape)} - {None}
    assert listed == {"loyalty-front", "checkout-web", "order-worker"}
    assert listed <= names


def test_the_payment_outage_saturates_payment_resources(samples: pl.DataFrame) -> None:
    payment = samples.filter(pl.col("service").is_in(["payment-api", "payment-db"]))
    assert payment["resource_id"].n_unique() == 3
    assert payment.filter(DURING_OUTAGE)["cpu_avg"].min() >= 95
    assert payment.filter(DURING_OUTAGE).height == 3 * 51
    assert payment.filter(~DURING_OUTAGE)["cpu_avg"].max() < 80


def test_nothing_idle_had_a_successful_scale_up_in_28_days(fleet: Fleet) -> None:
    whole = build_fleet(days=1)
    for built in (fleet, whole):
        ups = built.tables["decision_audit"].filter(
            pl.col("action_type") == "scale_up", pl.col("outcome") == "succeeded", ~pl.col("dry_run"),
            pl.col("decision_time") >= END - timedelta(days=28),
        )  # fmt: skip
        idle = built.tables["resources"].filter(
            pl.col("resource_id").is_in([key for key, shape in built.shape_of.items() if shape == "idle_oversized"])
        )
        groups = idle["current_config"].str.json_path_match("$.asg_name").drop_nulls()
        assert not set(ups["target"]) & {*idle["resource_id"], *idle["service"], *groups}


def test_harmless_decisions_about_idle_resources_are_there_to_be_told_apart(fleet: Fleet) -> None:
    idle = [key for key, shape in fleet.shape_of.items() if shape == "idle_oversized"]
    about = fleet.tables["decision_audit"].filter(pl.col("target").is_in(idle))
    age = (END - about["decision_time"]).dt.total_days()
    seen = set(zip(about["action_type"], about["outcome"], about["dry_run"], age >= 90, strict=True))
    assert {
        ("scale_up", "succeeded", True, False),
        ("scale_up", "failed", False, False),
        ("scale_up", "skipped", False, False),
        ("scale_up", "succeeded", False, True),
        ("scale_down", "succeeded", False, False),
    } == seen


@pytest.mark.parametrize("target", ["search-api", "loyalty-front"])
def test_emergencies_are_recorded_on_the_service_or_group_four_days_before_the_end(fleet: Fleet, target: str) -> None:
    ups = fleet.tables["decision_audit"].filter(
        pl.col("target") == target, pl.col("action_type") == "scale_up", pl.col("outcome") == "succeeded"
    )
    assert ups["decision_time"].dt.date().to_list() == [date(2025, 3, 5)]
    assert ups["dry_run"].to_list() == [False]


def test_decision_history_covers_180_days_with_every_kind_of_outcome() -> None:
    audit = build_fleet(days=1).tables["decision_audit"]
    assert 2_700 <= audit.height <= 3_300
    assert (END - audit["decision_time"].min()).days in (178, 179)
    assert audit["decision_time"].max() < END
    assert set(audit["outcome_reason"].drop_nulls()) >= {"cooldown", "max_executions", "lock", "kill_switch", "403"}
    assert audit.filter(pl.col("dry_run")).height > 20
    assert audit.height - audit["event_id"].n_unique() >= 5
    assert audit.filter(pl.col("event_time") > pl.col("decision_time")).height == 0


def test_decisions_name_a_policy_version_that_existed_then(fleet: Fleet) -> None:
    named = fleet.tables["decision_audit"].filter(pl.col("policy_id").is_not_null())
    policies = fleet.tables["policies"].rename({"version": "policy_version"})
    joined = named.join(policies, on=["policy_id", "policy_version"], how="left")
    assert joined.filter(pl.col("created_at").is_null() | (pl.col("created_at") > pl.col("decision_time"))).height == 0
    definition = json.loads(policies["definition"][0])
    assert sorted(definition) == ["actions", "conditions", "cooldown_s", "max_executions"]


@pytest.mark.parametrize(
    ("incident_id", "day", "impact_started", "detected", "identified", "mitigated", "resolved"),
    [
        (OUTAGE_ID, "2025-03-03", "08:14", "08:14", "11:45", "12:37", "12:52"),
        (BLACK_FRIDAY_ID, "2024-11-30", "04:23", "04:42", "07:45", "08:12", "09:18"),
    ],
)
def test_the_two_cascades_keep_their_minutes(
    fleet: Fleet, incident_id: str, day: str, impact_started: str, detected: str, identified: str, mitigated: str,
    resolved: str,
) -> None:  # fmt: skip
    times = {
        "impact_started": impact_started, "detected": detected, "identified": identified, "mitigated": mitigated,
        "resolved": resolved,
    }  # fmt: skip
    incident = fleet.tables["incidents"].row(by_predicate=pl.col("incident_id") == incident_id, named=True)
    told = {name: incident[f"{name}_at"] for name in times}
    assert told == {name: datetime.fromisoformat(f"{day} {time}") for name, time in times.items()}
    during = fleet.tables["decision_audit"].filter(pl.col("incident_id") == incident_id)
    assert during["decision_time"].min() >= told["impact_started"]
    assert {"scale_up", "circuit_break"} <= set(during["action_type"])


def test_incident_instants_never_run_backwards(fleet: Fleet) -> None:
    instants = ("impact_started_at", "detected_at", "acknowledged_at", "identified_at", "mitigated_at", "resolved_at")
    for row in fleet.tables["incidents"].select(instants).iter_rows():
        known = [instant for instant in row if instant is not None]
        assert known == sorted(known)


def test_incidents_and_action_items_are_mixed(fleet: Fleet) -> None:
    incidents, items = fleet.tables["incidents"], fleet.tables["incident_action_items"]
    assert incidents.height == 10
    assert dict(incidents["kind"].value_counts().iter_rows()) == {"normal": 8, "drill": 1, "scheduled": 1}
    assert incidents.filter(pl.col("resolved_at").is_null())["service"].to_list() == ["inventory-api"]
    assert items.height == 33
    assert set(items["incident_id"]) <= set(incidents["incident_id"])
    pending = items.filter(pl.col("state").is_in(["open", "in_progress"]))
    assert pending.filter(pl.col("due_on") < DEMO_LAST_DAY).height == 6
    assert pending.filter(pl.col("type") == "capacity").height == 1


def test_dependencies_join_known_services(fleet: Fleet) -> None:
    edges, services = fleet.tables["service_dependencies"], set(fleet.tables["services"]["service"])
    assert {*edges["service"], *edges["depends_on"]} <= services
    assert set(edges["kind"]) == {"hard", "soft"}
    assert set(fleet.tables["resources"]["service"]) <= services


def test_the_outage_spends_the_error_budget_of_payments(fleet: Fleet) -> None:
    sli = fleet.tables["sli_events"].with_columns((1 - pl.col("good") / pl.col("total")).alias("bad"))
    sli = sli.filter(pl.col("service") == "payment-api", pl.col("name") == "availability")
    assert sli.height == 35 * 24
    worst = sli.filter(pl.col("bad") > 0.01)
    assert worst["timestamp"].to_list() == [datetime.fromisoformat(f"2025-03-03 {hour:02}:00") for hour in range(8, 13)]
    assert worst["bad"].max() == pytest.approx(0.47, abs=0.001)
    assert sli["total"].sum() / 35 == pytest.approx(12_000_000, rel=0.01)
    slo = fleet.tables["slos"].filter(pl.col("service") == "payment-api", pl.col("name") == "availability")
    assert slo["objective"].to_list() == [0.9995]
    assert sli["bad"].mean() > 1 - 0.9995
    assert sli.filter(pl.col("bad") <= 0.01)["bad"].max() < 0.0002


def test_every_objective_is_measured_and_one_small_service_has_nearly_spent_its_budget(fleet: Fleet) -> None:
    last_30_days = fleet.tables["sli_events"].filter(pl.col("timestamp") >= END - timedelta(days=30))
    sums = last_30_days.group_by("service", "name").agg(pl.col("good", "total").sum())
    spent = fleet.tables["slos"].join(sums, on=["service", "name"], how="left").select(
        "service", "name", ((1 - pl.col("good") / pl.col("total")) / (1 - pl.col("objective"))).alias("spent")
    )  # fmt: skip
    found = {f"{service} {name}": share for service, name, share in spent.iter_rows()}
    assert found.pop("payment-api availability") > 3
    wanted = {
        "payment-api latency_p99_500ms": 0.45, "checkout-api availability": 0.35, "order-api availability": 0.3,
        "search-api latency_p99_300ms": 0.6, "catalog-api availability": 0.25, "admin-console availability": 0.94,
    }  # fmt: skip
    assert found == pytest.approx(wanted, abs=0.04)
    assert fleet.tables["sli_events"].filter(pl.col("good") > pl.col("total")).height == 0
