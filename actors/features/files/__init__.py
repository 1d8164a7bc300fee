"""Files: of fields and of buckets, in one store."""
