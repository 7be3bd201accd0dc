module github.com/weft-ml/weft/wasm/kernelc

go 1.26.0

require (
	github.com/tetratelabs/wazero v1.10.1
	github.com/weft-ml/weft v0.0.0-00010101000000-000000000000
	golang.org/x/tools v0.52.0
)

require (
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/weft-ml/weft => ../..
