//go:build !noasm

package simd

// addColumns adds shifted rows.
func addColumns(a *columnsArgs) { addColumnsAVX2(noescape(a)) }

// rowsBy copies rows of at least 8 elements, every one or every second of the source, if there is a kernel for it.
func rowsBy(step int, a *copyArgs) bool {
	switch step {
	case 1:
		copyRowsAVX2(noescape(a))
	case 2:
		copyEvenAVX2(noescape(a))
	}
	return step == 1 || step == 2
}
