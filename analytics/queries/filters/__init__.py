"""The filter language: JSON or a line of text -> one tree -> SQL. Values only ever travel as parameters."""
