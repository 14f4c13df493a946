"""The parameters of margin models, one section a module, and the document that holds them."""
