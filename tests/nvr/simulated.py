"""Simulated cameras for tests: small pictures, one GOP a second, coded in a tenth of a second."""

from __future__ import annotations

from pathlib import Path

from nvr.simulator import CameraOptions, LoopOptions, Simulator, SimulatorOptions

LOOP = LoopOptions(width=320, height=180, gop_s=1.0, length_s=4.0, bitrate_kbps=500)


def simulator(loops: Path, camera: CameraOptions | None = None, *, cameras: int = 1) -> Simulator:
    """Cameras all alike; `loops` is the fixture of that name."""
    return Simulator(SimulatorOptions(cameras=cameras, camera=camera or CameraOptions(LOOP), cache_dir=loops))
