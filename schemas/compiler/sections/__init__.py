"""One module per section of the tenant file."""
