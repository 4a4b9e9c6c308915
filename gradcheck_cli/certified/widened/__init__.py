"""What rounding could have made of a number: the computation once more in balls, widened after each operation."""
