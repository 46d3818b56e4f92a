"""Translation while the speaker is still speaking."""
