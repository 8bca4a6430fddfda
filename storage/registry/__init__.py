"""The city's registry: sites, cameras, how they get in by the sheet and out again, targets and the daily register."""
