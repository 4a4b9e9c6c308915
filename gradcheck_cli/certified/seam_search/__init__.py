"""Where an expression changes its formula: the roots of what decides its branches, and the places beside them."""
