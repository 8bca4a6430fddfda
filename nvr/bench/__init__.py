"""`nvr bench`: every figure the design promises, measured. Ratios are taken inside one run: machines have moods."""
