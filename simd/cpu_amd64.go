//go:build !noasm

package simd

// cpuid executes CPUID with the given leaf and subleaf.
//
//go:noescape
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

// xgetbv returns the low half of extended control register 0: which registers the operating system saves.
//
//go:noescape
func xgetbv() uint32

// cpuFeatures says why a family of instructions cannot be used, "" where it can.
func cpuFeatures() (noAVX2, noAVX512 string) {
	const (
		osxsave, avx, fma        = 1 << 27, 1 << 28, 1 << 12     // leaf 1, ecx
		avx2bit                  = 1 << 5                        // leaf 7, ebx
		avx512                   = 1<<16 | 1<<17 | 1<<30 | 1<<31 // leaf 7, ebx: F, DQ, BW, VL
		saveYMM, saveZMM  uint32 = 0x06, 0xe6                    // xcr0
	)
	noAVX2, noAVX512 = "the processor has no AVX2 and FMA", "the processor has no AVX-512 (F, DQ, BW, VL)"
	leaves, _, _, _ := cpuid(0, 0)
	if leaves < 7 {
		return
	}
	_, _, c1, _ := cpuid(1, 0)
	_, b7, _, _ := cpuid(7, 0)
	if c1&osxsave == 0 || xgetbv()&saveYMM != saveYMM {
		return "the operating system does not save AVX registers", "the operating system does not save AVX registers"
	}
	if c1&avx != 0 && c1&fma != 0 && b7&avx2bit != 0 {
		noAVX2 = ""
	}
	switch {
	case xgetbv()&saveZMM != saveZMM:
		noAVX512 = "the operating system does not save AVX-512 registers"
	case noAVX2 == "" && b7&avx512 == avx512:
		noAVX512 = ""
	}
	return
}
