package host

import (
	"unsafe"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/wasm/api"
)

// keep bounds the request buffer that is kept from call to call, in bytes; a larger one is given back after its call.
const keep = 4 << 20

var (
	server   *api.Server
	buffer   []uint64 // of the request, aligned to 8
	response []byte
)

// Run prepares a server for a set of operators and then waits for ever: the host calls the exports.
func Run(set string, ops []*graph.Def) {
	server = api.NewServer(api.Options{Operators: ops, Set: set, Now: nanotime})
	select {}
}

// weftBuffer returns the address of n bytes for the next request.
//
//go:wasmexport weft_buffer
func weftBuffer(n int32) unsafe.Pointer {
	words := (int(uint32(n)) + 7) / 8
	if len(buffer) < words || len(buffer)*8 > keep {
		buffer = nil
		buffer = make([]uint64, max(words, 512))
	}
	return unsafe.Pointer(&buffer[0])
}

// weftCall runs the request of n bytes in the buffer and returns the address of the response.
//
//go:wasmexport weft_call
func weftCall(n int32) unsafe.Pointer {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(buffer))), len(buffer)*8)
	size := min(int(uint32(n)), len(b))
	response = server.Call(b[:size])
	return unsafe.Pointer(&response[0])
}

// weftLength returns the length of the response.
//
//go:wasmexport weft_length
func weftLength() int32 { return int32(len(response)) }

// weftBlock returns the address of the words of quick calls.
//
//go:wasmexport weft_block
func weftBlock() unsafe.Pointer { return unsafe.Pointer(server.Block()) }

// weftQuick makes a quick call (see package api) and returns its status. After a failed one the response is the error.
//
//go:wasmexport weft_quick
func weftQuick(kind int32) int32 {
	status := server.Quick(kind, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(buffer))), len(buffer)*8))
	response = server.Response()
	return status
}

// weftResponse returns the address of the response.
//
//go:wasmexport weft_response
func weftResponse() unsafe.Pointer { return unsafe.Pointer(&response[0]) }
