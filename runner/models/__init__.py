"""Models: the protocol, the litellm adapter, the demo models, prices, projection of a history."""
