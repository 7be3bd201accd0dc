package host

import _ "unsafe" // for go:linkname

// nanotime is the runtime's monotonic clock. Package time would bring calendars and time zones into the page.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64
