"""What we ask of the Python process: time limits, Ctrl-C, garbage collection, the stopwatch."""
