// Package layers holds the repository's rules in its tests: which package may import which, and what no file may contain.
package layers
