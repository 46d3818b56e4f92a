"""The four model families; every family reaches speech and text through the same shared encoder."""
