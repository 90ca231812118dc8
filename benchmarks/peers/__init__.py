"""Other programs for the same job, measured in the same run."""
