"""What keeps the product's house: backup, restore, rotation of keys, examination."""
