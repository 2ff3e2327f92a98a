"""First-person pictures: rays, textures, light, entities, the display for people."""
