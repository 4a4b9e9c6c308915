"""Real PyTorch code as a tape: what it computes is recorded below autograd, so a backward has no part in it."""
