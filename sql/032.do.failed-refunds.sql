-- A refund that the provider made and that failed there: it does not count when a person has set
-- the row back and the money is to be sent once more. NULL: there is none.
ALTER TABLE refunds ADD COLUMN failed_ref text;
