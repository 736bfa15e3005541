"""Who renders what, when: decided by values and time alone, and carried out by `executors.fleet`."""
