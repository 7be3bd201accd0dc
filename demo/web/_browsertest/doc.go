// Package browsertest drives the page in a headless Chromium. It is a module of its own so that the browser's protocol
// library stays out of Weft's.
package browsertest
