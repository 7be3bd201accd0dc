//go:build noasm || !js

package prog

// RunSteps executes no step: this build has no kernel module that could.
func RunSteps(w *Worker, steps []Step) int { return 0 }
