// Package host is what the programs weft and weft-full share: they export a server of package api to JavaScript.
//
// The exports never wait: weft_buffer(n) gives the address of n bytes for a request, weft_call(n) runs it and returns the address
// of the response, weft_length() its length. The response is valid until the next call; its memory may move when the memory grows,
// so the caller makes its view of the memory after the call. Calls that are made again and again have a shorter way, without messages:
// weft_quick(kind), with its arguments in the words at weft_block().
package host
