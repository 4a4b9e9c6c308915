"""Derivatives worked out by hand: proven, refuted, or found to agree; and the slip behind a wrong one."""
