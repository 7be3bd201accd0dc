// Package build makes the npm package from js/src: the Go program with its memory imported, plain and shared, the kernel modules, the
// bundles of the TypeScript sources, and the types. Its parts serve the demo page's build too.
package build
