// Package tensor holds Weft's arrays: element types, shapes, strided views, broadcasting and the
// one allocator that every buffer of a runtime comes from.
package tensor
