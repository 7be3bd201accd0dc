module github.com/weft-ml/weft/simd/wasmtest

go 1.26.0

require github.com/weft-ml/weft v0.0.0

require github.com/tetratelabs/wazero v1.10.1

replace github.com/weft-ml/weft => ../..
