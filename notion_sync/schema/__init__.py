"""The 16 databases' structure in Notion: comparing it, creating what is missing, remembering property ids."""
