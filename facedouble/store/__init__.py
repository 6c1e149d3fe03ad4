"""What a project keeps between runs, encrypted: keys, log, registry, blobs."""
