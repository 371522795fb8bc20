"""Injecting: hooks.d files and CDI specifications applied to a configuration. PURE: texts and facts in, Config out."""
