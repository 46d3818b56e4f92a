"""What is measured of a data-bin; plain values for JSON."""
