"""Which plan fits: a workload priced under every candidate, and drafts against the usage of past months."""
