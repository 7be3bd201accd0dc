// Package browsertest drives the page, and that of "weft serve", in a headless Chromium, and runs the kernels' own tests there. It is a module of its own so that the browser's protocol
// library stays out of Weft's.
package browsertest
