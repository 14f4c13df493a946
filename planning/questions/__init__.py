"""Questions about an account: what-if, available amounts, distance, contributions, placement, the agent."""
