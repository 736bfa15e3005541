"""Where jobs and their events are kept: the port, and its implementations."""
