"""Formulas of vectors and matrices: text to a program of torch calls, checked as code is; claims entry by entry."""
