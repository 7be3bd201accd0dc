// Package models names the architectures that Weft brings along. Each lives in a package of its own, built from
// core/nn alone; none imports another.
package models

import (
	"strings"

	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/models/cnn"
	"github.com/weft-ml/weft/models/lenet"
	"github.com/weft-ml/weft/models/lenet5"
	"github.com/weft-ml/weft/models/mlp"
)

// Recipe is how an architecture is trained unless told otherwise.
type Recipe struct {
	Epochs       int
	BatchSize    int
	Optimizer    string // see optim.Parse
	LearningRate float64
	WeightDecay  float64
	Schedule     string  // see optim.ParseSchedule
	Augment      string  // see augment.Parse; "": none
	EMA          float64 // decay of the exponential moving average of the weights that is kept at the end; 0: none
	ClipNorm     float64 // largest global norm of the gradients; 0: any
	Window       int     // models of text: characters that a sample has; 0: no model of text
}

// Model is an architecture that classifies images.
type Model struct {
	Name   string
	Doc    string
	Recipe Recipe
	// New returns the layers for samples of the given shape ([C H W] for images) and a number of classes. It panics with
	// *tensor.Error when the architecture does not fit the size.
	New func(shape []int, classes int) nn.Layer
}

// All lists the architectures.
func All() []Model {
	return []Model{
		{"mlp", "two hidden layers of 256 and 128 units", Recipe{Epochs: 5, BatchSize: 32, Optimizer: "adam", LearningRate: 1e-3, Schedule: "cosine"}, mlp.New},
		{"lenet", "LeNet with ReLU and max pooling, 34,622 parameters for 28x28x1 images", Recipe{Epochs: 5, BatchSize: 32, Optimizer: "adam", LearningRate: 2e-3, Schedule: "cosine"}, lenet.New},
		{"lenet5", "LeNet-5 in the layer sizes of the 1998 paper, tanh and average pooling", Recipe{Epochs: 5, BatchSize: 32, Optimizer: "adam", LearningRate: 2e-3, Schedule: "cosine"}, lenet5.New},
		{"cnn", "a small modern network: 3x3 convolutions, batch normalisation, dropout", Recipe{Epochs: 20, BatchSize: 64, Optimizer: "adamw", LearningRate: 4e-3,
			Schedule: "onecycle", Augment: "shift=2,rotate=10,scale=0.1,shear=5", EMA: 0.999}, cnn.New},
	}
}

// Names returns the architectures' names.
func Names() []string {
	var names []string
	for _, m := range All() {
		names = append(names, m.Name)
	}
	return names
}

// Get returns the named architecture.
func Get(name string) (Model, error) {
	for _, m := range All() {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{}, tensor.Err("models", "no model is called ", name, "; there are ", strings.Join(Names(), ", "))
}
