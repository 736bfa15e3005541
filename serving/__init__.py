"""How our gRPC servers and channels are set up. Knows nothing of rendering."""
