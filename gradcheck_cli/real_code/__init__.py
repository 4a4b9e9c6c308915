"""A function of tensors, checked: the tape gives what is true, the user's code is really run, each entry is judged."""
