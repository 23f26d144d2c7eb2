"""Settings shared by all tests."""

from __future__ import annotations

from hypothesis import settings

# A shared machine stalls now and then; a slow example is no defect.
settings.register_profile("chainwright", deadline=None, derandomize=True)
settings.load_profile("chainwright")
