"""Which slinger this is, and which runtime-spec it speaks."""

from __future__ import annotations

VERSION = "0.1.0"  # as meson.build and slinger.__version__ have it
COMMIT = "unknown"  # a packager writes the commit here
SPEC_VERSION = "1.3.0"
