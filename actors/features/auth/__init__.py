"""Who is asking: accounts, credentials, sessions and keys of one tenant, kept in its own namespace."""
