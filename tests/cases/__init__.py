"""Tables of cases, a group for each rule of the grammar."""
