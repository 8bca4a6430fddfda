"""The catalog: every statement of SQL, and what runs them."""

import sys

# sqlite-utils imports numpy where it is installed, for columns of its types, of which there are none here: a tenth of a
# second and 20 MB for each process. shapely imports it when a search needs it.
if "numpy" not in sys.modules:
    sys.modules["numpy"] = None  # type: ignore[assignment]  # how Python spells "not to be found"
    try:
        import sqlite_utils  # noqa: F401 - imported for its not looking again
    finally:
        del sys.modules["numpy"]
