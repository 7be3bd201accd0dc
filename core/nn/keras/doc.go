// Package keras builds models from layer descriptions as Keras and TensorFlow.js write them: kinds and settings in camel case,
// images [N, H, W, C], flattening in HWC order, "same" padding, Keras's default initialisers.
//
// Inside, the graph is channels-first like every other: a picture of one channel is only reshaped, others are transposed once at the edge, and a
// Flatten before a Dense layer moves nothing: the Dense layer's rows are kept in the order in which the features lie, and [Weight]
// gives and takes them in Keras's.
//
// Masks are Keras 3's: an embedding layer with maskZero (id 0 is padding) and a masking layer say which steps count, and the mask goes with the value. Recurrent layers leave their state as it
// is at a masked step, wherever it stands, and spend no time on it; multiHeadAttention does not see masked keys; globalAveragePooling1d averages the other steps, batchNormalization learns from
// them, and losses and metrics of an output that has a mask are means over them. Dense, dropout, activations, normalisations, position embeddings and merging layers pass it on,
// convolutions, poolings, flatten, reshape and permute drop it. Unlike Keras, rmsNormalization and timeDistributed pass it on, and an average over no step is 0. A saved graph has the masks inside, made from its
// inputs; the loss of one that is loaded to be trained further knows of none.
package keras
