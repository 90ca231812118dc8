-- After how many days the columnstore takes a day over; without a row the setting's default holds.
CREATE TABLE compression_policy (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    after_days integer NOT NULL CHECK (after_days BETWEEN 1 AND 3650),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
