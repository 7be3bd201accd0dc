package compile

// nanotime is no clock in the page, which does without package time and what comes with it: profiles there are not measured by step, and
// workers, which natively look for more work for a while, park at once.
func nanotime() int64 { return 0 }
