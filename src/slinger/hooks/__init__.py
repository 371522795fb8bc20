"""Hooks: placed by the table of stages, run by the hands, recorded here."""
