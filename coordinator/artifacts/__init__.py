"""Where the files of a farm outlive its machines: a folder, or an S3-compatible store."""
