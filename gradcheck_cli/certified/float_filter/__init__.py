"""The floating-point filter: what float64 with a running error bound settles beyond doubt, at many points at once."""
