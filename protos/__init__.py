"""The wire format. `*_pb2*` files are generated: `make proto`."""
