"""The same workload without the product; each reference runs in a separate process."""
