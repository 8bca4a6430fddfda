"""The archive: volumes and paths, fMP4 reading, stills, the SQLite catalog, ingest, reconcile."""
