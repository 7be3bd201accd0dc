// Package optim holds optimizers, learning-rate schedules and gradient clipping. An optimizer adds update nodes to
// the training graph, so that forward, backward, clipping and update are one program.
package optim
