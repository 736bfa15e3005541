"""Subtitles: read, drawn into pictures, or written as a stream of their own."""
