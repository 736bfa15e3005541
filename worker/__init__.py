"""A process that serves an executor over gRPC. Runs standalone."""
