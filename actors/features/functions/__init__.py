"""Functions: a tenant's own code and the built-in ones, run on writes, on schedule, or by name."""
