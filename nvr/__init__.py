"""The recorder fleet, the camera simulator, and the composition root of the program `nvr`."""
