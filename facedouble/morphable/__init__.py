"""The face topology: mean shape, mirror map, UV, expression basis; coefficients <-> mesh. No images."""
