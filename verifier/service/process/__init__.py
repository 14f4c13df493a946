"""The service as a process: settings, workers, memory and webhooks."""
