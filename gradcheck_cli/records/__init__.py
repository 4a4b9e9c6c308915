"""What crosses between packages: what is asked for, what is true, what came out. Frozen and plain."""
