"""Who renders what, when: decided by values and time alone. `executors.fleet` carries it out."""
