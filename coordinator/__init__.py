"""Jobs: planned into chunks, run through an executor, joined, kept, and told over gRPC."""
