"""What a clerk does at the till: see a member or a voucher, hand over, enrol."""
