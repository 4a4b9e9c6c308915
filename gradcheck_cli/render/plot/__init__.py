"""Pictures of checks, drawn: on the terminal, and as figures."""
