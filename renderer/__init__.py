"""A composition and a range of frames → one encoded, verified chunk file. Knows no farm."""
