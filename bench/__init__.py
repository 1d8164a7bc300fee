"""What it costs to be asked, measured side by side; ``python3 run.py bench``."""
