"""Where to check: points as texts and numbers give them, in blocks, and samples."""
