"""What stays and for how long: policies, holds, the plan, sweeping, disk pressure, offload."""
