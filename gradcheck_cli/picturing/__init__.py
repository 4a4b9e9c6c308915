"""What a picture of a check shows: the range that suits its points, what is special there, curves, dots, matrices."""
