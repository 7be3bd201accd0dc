// Runs a model in onnxruntime: reads {model, inputs: [{name, type, shape, data}]} as JSON from standard input, with
// data in base64, and writes {outputs: [...]} of the same form, or {error}, to standard output.
import * as ort from 'onnxruntime-node';
import { readFileSync } from 'node:fs';

const arrays = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array,
  int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array, bool: Uint8Array,
};

try {
  const { model, inputs } = JSON.parse(readFileSync(0, 'utf8'));
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3,
  });
  const feeds = {};
  for (const { name, type, shape, data } of inputs) {
    const bytes = Buffer.from(data, 'base64');
    feeds[name] = new ort.Tensor(type, new arrays[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)), shape);
  }
  const result = await session.run(feeds);
  const outputs = session.outputNames.map((name) => {
    const t = result[name];
    return { name, type: t.type, shape: t.dims, data: Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('base64') };
  });
  console.log(JSON.stringify({ outputs }));
} catch (e) {
  console.log(JSON.stringify({ error: String(e.message ?? e) }));
}
