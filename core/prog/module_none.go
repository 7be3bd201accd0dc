//go:build noasm || !js

package prog

// ShareThreads returns how many of n threads can run steps in the kernel module: the caller's.
func ShareThreads(n int) int { return 1 }

// Compiled reports whether the kernel module runs the kernel.
func (k *Kernel) Compiled() bool { return false }

// RunStep executes no step: this build has no kernel module that could.
func RunStep(w *Worker, s *Step) bool { return false }

// RunSteps executes no step: this build has no kernel module that could.
func RunSteps(w *Worker, steps []Step) int { return 0 }

// InModule is false: this build has no kernel module.
func InModule() bool { return false }

// Compiled is false: this build has no kernel module.
func Compiled(k *Kernel) bool { return false }

// KernelImage returns nothing: this build has no kernel module.
func KernelImage() (image []byte, relocs []int) { return nil, nil }
