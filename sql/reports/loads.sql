-- purpose: The day's load ledger.
-- grain: source
-- reads: load_ledger
-- params: -
select source, status, rows_read, rows_written, rows_rejected, watermark_at, history_from, missing_columns
from load_ledger
order by source
