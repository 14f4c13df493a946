"""The numbers: instruments, market input, snapshots, margin models and requirements. No cryptography."""
