"""The kernel's vocabulary as tables. Pure."""
