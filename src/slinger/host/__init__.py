"""Every effect of the brain on the machine; nothing is decided here."""
