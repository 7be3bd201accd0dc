/**
 * Weft: deep learning in the page. See `init`.
 *
 * @packageDocumentation
 */
export { init, type InitOptions } from "./init.js";
export { isolate, type IsolateOptions } from "./isolate.js";
export { WeftError, DisposedError, type ErrorCode } from "./errors.js";
export { Runtime, type Report, type MemoryReport, type ArchitectureOptions } from "./runtime.js";
export { Tensor, Variable } from "./tensor.js";
export { Scope } from "./scope.js";
export { Dataset, type DigitsOptions, type Samples } from "./data.js";
export { LayersModel, type Activations, type CallOptions, type CompileConfig, type Evaluation, type Features, type GenerateOptions, type LayerInfo, type Port, type Weight } from "./model.js";
export { Training, type Batch, type Batches, type BatchLogs, type Callbacks, type FitOptions, type FitResult, type Logs, type TrainEvent } from "./fit.js";
export { Layer, SymbolicTensor, layers, input, type Activation } from "./layers.js";
export { Optimizer, losses, schedules, initializers, type Config, type MinimizeOptions } from "./optimizers.js";
export { checkpoints } from "./storage.js";
export { VERSION } from "./version.js";
export type { Profile, ProfileOptions, ProfileRow } from "./profile.js";
export type { DType, NestedArray, TypedArray } from "./dtype.js";
export type { TensorLike, TensorOptions, NormalOptions, UniformOptions, VariableOptions } from "./creation.js";
export type { AttentionOptions, ConvOptions, OpOptions, WindowOptions } from "./ops.js";
export type { CompileOptions, GradOptions, Results, ValueAndGrads } from "./function.js";
export type { PixelOptions, PixelSource } from "./pixels.js";
export type { LoadProgress } from "./platform.js";
export type { OnnxOps } from "./ops.gen.js";
