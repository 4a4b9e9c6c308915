"""Arrays as people write them, `3*randn(4, 3)` or `[[1, 2], [3, 4]]`: text to numbers, without Python's evaluation."""
