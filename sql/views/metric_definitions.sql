-- purpose: What each incident metric measures, by its newest version; a change of meaning is a new version.
-- grain: id
-- reads: -
-- params: -
select
    id,
    version::integer as version,
    name,
    -- Both null: the union of the windows in which customers felt it.
    from_phase::varchar as from_phase,
    to_phase::varchar as to_phase,
    -- What comes first ends it: to_phase or this.
    capped_at::varchar as capped_at
from (
    values
    ('ttd', 1, 'Time to Detect', 'impact_started', 'detected', null),
    ('tta', 1, 'Time to Acknowledge', 'detected', 'acknowledged', 'resolved'),
    ('ttm', 1, 'Time to Mitigate', 'impact_started', 'mitigated', null),
    ('ttrep', 1, 'Time to Repair', 'detected', 'impact_ended', null),
    ('ttres', 1, 'Time to Resolve', 'declared', 'resolved', null),
    ('ttrst', 1, 'Time to Restore', 'impact_started', 'impact_ended', null),
    ('cid', 1, 'Customer Impact Duration', null, null, null),
    ('fdrt', 1, 'Failed Deployment Recovery Time', 'caused_by_change', 'impact_ended', null)
) as definitions (id, version, name, from_phase, to_phase, capped_at)
