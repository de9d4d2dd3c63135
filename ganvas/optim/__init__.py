"""Optimisers, schedules, the moving average."""
