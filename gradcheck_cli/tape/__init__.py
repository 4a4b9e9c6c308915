"""A computation on arrays as instructions over numbered elements: recorded once, evaluated in several arithmetics.

Knows neither torch nor autograd.
"""
