"""HTTP in and out: routes, decoding, encoding and problems."""
