"""Who asks, over which certificate, and what they are told they may do."""
