//go:build !js

package compile

import "time"

var origin = time.Now()

// nanotime returns nanoseconds since the program's start.
func nanotime() int64 { return int64(time.Since(origin)) }
