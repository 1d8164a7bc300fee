"""The actor kernel: no HTTP, no SQL, no tenants."""
