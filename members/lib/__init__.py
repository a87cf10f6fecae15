"""Small parts without models: codes, periods, paging, transactions, the clock."""
