"""Dates as ISO 8601 writes them: they sort, and nobody takes the month for the day."""

DATE_FORMAT = "Y-m-d"
# The console shows every instant in UTC.
DATETIME_FORMAT = "Y-m-d H:i \\U\\T\\C"
SHORT_DATE_FORMAT = DATE_FORMAT
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
TIME_FORMAT = "H:i"
