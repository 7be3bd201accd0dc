// Package oip reads and writes the bodies of the Open Inference Protocol (version 2, also called KServe V2): inference requests and answers, as JSON or
// with the binary tensor data extension, the metadata documents and the error form. It does no I/O: bytes in, tensors out, and back.
//
// Sources: the protocol's REST definition (github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md) and NVIDIA Triton's
// document of the binary tensor data extension (docs/protocol/extension_binary_data.md). Where they leave a choice, this package
//
//   - takes "data" flat or nested exactly as "shape" says, in row-major order; any other nesting is an error;
//   - takes for integer types any JSON number that is a whole number (3, 3.0, 3e2), exactly up to 64 bits, and refuses what is out of the type's range;
//     for BOOL true and false alone; for FP32 and FP64 the nearest number, refusing what would become infinite;
//   - refuses NaN and Infinity in JSON, which has no such numbers, both ways; binary tensors carry them;
//   - carries FP16 and BF16 in binary form alone, as Triton does, and no BYTES;
//   - converts no types: a tensor must come in the model's own;
//   - ignores unknown keys and unknown parameters, takes null for an optional key as its absence, and refuses a key it reads when it comes twice;
//   - refuses Triton's classification, shared memory and raw binary extensions rather than answer something else than what was asked.
//
// [DecodeArray] reads numbers without the protocol around them, by the same rules.
//
// Reading needs memory in proportion to the body alone, whatever shapes it claims: at most 4 bytes of tensor for a byte of JSON, 1 for a byte of binary data.
package oip
