"""CEL: parse, check, compile to SQL and to Python."""
