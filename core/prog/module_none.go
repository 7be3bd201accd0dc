//go:build noasm || !js

package prog

// RunStep executes no step: this build has no kernel module that could.
func RunStep(w *Worker, s *Step) bool { return false }

// RunSteps executes no step: this build has no kernel module that could.
func RunSteps(w *Worker, steps []Step) int { return 0 }
