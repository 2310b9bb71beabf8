"""The content that stewards and lawyers edit, read into one immutable `Site`, with every fault said at once."""

from portal.site.reading import Reading, read_site
from portal.site.site import Site
from portal.site.yaml_files import SiteFault

__all__ = ["Reading", "Site", "SiteFault", "read_site"]
