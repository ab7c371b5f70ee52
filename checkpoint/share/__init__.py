"""Results that people give each other: packing, unpacking, fetching; notebooks as handed out."""
