-- purpose: Which of AWS's advisers were asked, and what could not be read of them.
-- grain: source
-- reads: load_ledger
-- params: prefix
select source, status, rows_written, error
from load_ledger
where starts_with(source, $prefix)
order by source
