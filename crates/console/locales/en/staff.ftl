# Pages of staff.
