"""What is drawn: the double, the veil, and the one door to the encoder (`composite`)."""
