"""What code is, as text: the digests by which a stored result knows the code that made it.

A digest follows names: from a function to what it uses, of its own module and of those that are
imported, and on from there. What nothing uses does not count. Where it cannot be told what is
used, more counts rather than less.
"""

from evergreen.sources.codebase import Codebase, Found, recall, remembered, root_of
from evergreen.sources.digests import digest, versions
from evergreen.sources.reach import Script, SourceError

__all__ = [
    "Codebase",
    "Found",
    "Script",
    "SourceError",
    "digest",
    "recall",
    "remembered",
    "root_of",
    "versions",
]
