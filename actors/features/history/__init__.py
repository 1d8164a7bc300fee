"""Row history: reading what rows were, and going back."""
