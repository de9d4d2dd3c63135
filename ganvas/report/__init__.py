"""What people look at: a run's page, runs side by side."""
