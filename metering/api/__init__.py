"""The API of the fact side, behind the door: what is read. Events themselves arrive at the door."""
