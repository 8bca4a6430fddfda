"""The aiohttp application: API, playback, pages. No SQL and no paths in here: it asks storage."""
