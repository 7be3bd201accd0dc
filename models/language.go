package models

import (
	"github.com/weft-ml/weft/core/text"
	"github.com/weft-ml/weft/models/chargpt"
	"github.com/weft-ml/weft/models/charlstm"
)

// LanguageModel is an architecture that predicts the next character of a text.
type LanguageModel struct {
	Name   string
	Doc    string
	Recipe Recipe
	// New returns the network for a number of different characters, to be trained on windows of so many.
	New func(vocabulary, window int) text.Model
}

// Languages lists the architectures that learn from text.
func Languages() []LanguageModel {
	return []LanguageModel{
		{"char-lstm", "two LSTM layers of 256 units over characters", Recipe{Epochs: 6, BatchSize: 32, Window: 128, Optimizer: "adamw", LearningRate: 3e-3, WeightDecay: 0.01, Schedule: "warmup:steps=100,cosine", ClipNorm: 1}, charlstm.New},
		{"char-gpt", "four causal transformer blocks of width 128 over characters", Recipe{Epochs: 8, BatchSize: 32, Window: 128, Optimizer: "adamw", LearningRate: 3e-3, WeightDecay: 0.1, Schedule: "warmup:steps=200,cosine", ClipNorm: 1}, chargpt.New},
	}
}

// LanguageNames returns the names of Languages.
func LanguageNames() []string {
	var names []string
	for _, m := range Languages() {
		names = append(names, m.Name)
	}
	return names
}

// Language returns the named architecture.
func Language(name string) (m LanguageModel, ok bool) {
	for _, m := range Languages() {
		if m.Name == name {
			return m, true
		}
	}
	return m, false
}
