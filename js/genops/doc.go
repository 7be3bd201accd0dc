package main

//go:generate go run . ../src/ops.gen.ts
