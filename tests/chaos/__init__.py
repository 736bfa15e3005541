"""Real processes, killed, frozen and cut off while they work. `scripts/chaos --help`."""
