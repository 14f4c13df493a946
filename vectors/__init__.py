"""Test vectors for verifiers of this product's proofs and documents: the files beside this one, and what makes them."""
