"""What a tenant can do beyond rows; one module or folder per section of the tenant file, by the same name."""
