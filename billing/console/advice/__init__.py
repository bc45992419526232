"""The page that compares plans for a workload."""
