//go:build !noasm

package simd

// addColumns adds shifted rows.
func addColumns(a *columnsArgs) { addColumnsNEON(noescape(a)) }

// rowsBy reports that there is no kernel for copies of rows.
func rowsBy(step int, a *copyArgs) bool { return false }
