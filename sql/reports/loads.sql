-- purpose: The day's load ledger, without what is read live of each account and region.
-- grain: source
-- reads: load_ledger
-- params: -
select source, status, rows_read, rows_written, rows_rejected, watermark_at, history_from, missing_columns
from load_ledger
-- What is read of each account and region of AWS has sections of its own.
where not regexp_matches(source, '^(aws_resources|aws_samples|aws_commitments|second_opinion)\.')
order by source
