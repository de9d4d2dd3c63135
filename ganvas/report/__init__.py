"""Reports for people: a run's page, and runs side by side."""
