"""Ogg: pages of one or more streams, one after the other, of Vorbis, Opus or FLAC."""
