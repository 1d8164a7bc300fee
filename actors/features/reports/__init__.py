"""Reports: grouped figures, on demand and by mail."""
