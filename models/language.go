package models

import (
	"github.com/weft-ml/weft/core/text"
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
	return []LanguageModel{}
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
