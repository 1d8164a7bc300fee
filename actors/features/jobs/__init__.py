"""Jobs: functions on schedule."""
