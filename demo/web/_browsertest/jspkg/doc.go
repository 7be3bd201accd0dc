// Package jspkg tests the npm package as its users have it: packed, installed into an empty folder, in Node, behind a bundler, and in
// plain pages on a server without special headers.
package jspkg
