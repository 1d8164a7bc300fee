"""Settings as frozen values; logging set-up."""
