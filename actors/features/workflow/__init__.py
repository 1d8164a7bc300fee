"""What is kept and shown of rows on their way through a workflow."""
