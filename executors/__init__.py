"""The seam between planning and rendering, and the executors that come with framefarm."""
