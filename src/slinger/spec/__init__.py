"""The specification: configuration, state, features. Pure."""
