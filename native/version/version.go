// Package version has the version of Weft's own programs.
package version

// Tree is the release that this tree becomes; a build from a module proxy reports its own.
const Tree = "0.3.0-dev"
