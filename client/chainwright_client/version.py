"""The version of both distributions: the build of the service and of the client read it from this file."""

__version__ = "0.1.0"
