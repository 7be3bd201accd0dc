// Command weft-lite is what a page loads for its first prediction: models are loaded and run, not trained (see api.Prediction).
// The linker's memory is turned into an import by weftlink, so that the kernel module shares it.
package main
