"""What a verifier holds a snapshot's parameters to: which sections price a model, how numbers compare, and pins."""
