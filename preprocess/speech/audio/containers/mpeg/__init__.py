"""MPEG audio (mp3, mp2): frames one after the other, each with a header of its own, among tags of many kinds."""
