"""Events: what functions publish, now or later, and functions that hear what happens."""
