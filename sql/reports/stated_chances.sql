-- purpose: For each applied change whose chance was stated, the weeks that were watched and those that exceeded, as last known.
-- grain: resource_id, source
-- reads: proposal_outcomes
-- params: -
select
    resource_id,
    source,
    arg_max(stated_exceedance_pct, day) as stated_exceedance_pct,
    arg_max(weeks_observed, day)::integer as weeks_observed,
    arg_max(weeks_exceeded, day)::integer as weeks_exceeded
from proposal_outcomes
where not is_rollback and stated_exceedance_pct is not null and weeks_observed is not null
group by resource_id, source
order by resource_id, source
