"""What happens after a commit: changes recorded in the write's own transaction, and tasks made of them."""
