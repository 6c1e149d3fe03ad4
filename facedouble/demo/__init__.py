"""Generated witness clips: public-domain portraits, animated by our own renderer with a known script."""
