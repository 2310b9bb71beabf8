"""The API for programs: a thin layer of HTTP over the desk."""

from portal.api.app import create_api

__all__ = ["create_api"]
