"""What gradcheck costs, beside what one would do without it. `python -m benchmarks` runs all; see registry.py."""
