"""HTTP: the application, its endpoints, access and limits."""
