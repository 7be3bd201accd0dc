// Package train runs training: it builds the training and the evaluation program of a model over one store of
// variables, feeds batches, keeps the history, and saves and restores everything that a run depends on, so
// that an interrupted run continues to the same bits.
package train
