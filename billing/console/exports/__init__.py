"""The month's files for accountants: make them, and fetch them again."""
