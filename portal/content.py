"""What every file that stewards edit has in common: strict keys, frozen values, and faults with a line."""

from pydantic import BaseModel, ConfigDict


class Content(BaseModel):
    """Base of all content models: an unknown key is a fault, a value once read never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
