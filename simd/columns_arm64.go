//go:build !noasm

package simd

// addColumns adds shifted rows.
func addColumns(a *columnsArgs) { addColumnsNEON(noescape(a)) }
