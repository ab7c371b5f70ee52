"""Share results: pack, unpack and fetch archives, and reset notebooks that were handed out."""
