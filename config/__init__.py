"""Settings: nvr.toml and NVR_* environment variables, validated once, frozen. The lowest room: imports no other."""
