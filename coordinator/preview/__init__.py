"""The preview: the finished beginning of a job's film, served while the rest is rendered."""
