//go:build !noasm

package simd

// addColumns adds shifted rows.
func addColumns(a *columnsArgs) { addColumnsAVX2(noescape(a)) }
