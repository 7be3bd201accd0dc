package op

// SetRNNStepFLOPs sets how much a step of a recurrent program computes and returns what it was.
func SetRNNStepFLOPs(n int) int {
	old := rnnStepFLOPs
	rnnStepFLOPs = n
	return old
}
