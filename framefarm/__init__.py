"""Render web pages to video, frame by frame and exactly, here or on a farm of gRPC workers."""
