"""Text to expression and back; what is refused shows its place."""
