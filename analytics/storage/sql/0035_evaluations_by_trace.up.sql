-- Evaluations are read by their trace alone.
DROP INDEX trace_evaluations_by_time;
