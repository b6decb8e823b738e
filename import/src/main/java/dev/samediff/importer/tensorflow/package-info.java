/**
 * TensorFlow graphs, translated into ONNX in memory; everything behind the ONNX message is shared with the ONNX importer.
 *
 * <p>What is read: a frozen GraphDef ({@code .pb}, or {@code .pbtxt} as text), and a SavedModel folder with its checkpoint
 * ({@link dev.samediff.importer.tensorflow.SavedModelFolder}, {@link dev.samediff.importer.tensorflow.TensorBundle}).
 * Calls of functions are put in their place ({@link dev.samediff.importer.tensorflow.FunctionInlining}), so that what is
 * translated is one flat graph without functions. {@link dev.samediff.importer.tensorflow.Translation} then walks back from
 * the outputs and asks one entry of {@link dev.samediff.importer.tensorflow.TensorFlowOperators} per node.
 *
 * <p>Translations are written without knowing the number of axes of a tensor: axes are counted from the end where
 * TensorFlow's rule does so, and shapes are computed by operators that are folded while the ONNX graph is lowered. Weights
 * keep the names of their TensorFlow variables; inputs and outputs of a SavedModel are called as its signature calls them.
 *
 * <p>Refused, all nodes at once and with the reason: control flow (While, If, TensorList), random numbers, text, results
 * whose size depends on the data (Where, Unique), batch normalisation in training mode.
 *
 * <p>No SameDiff here, and nothing that reads an ONNX file.
 */
@NullMarked
package dev.samediff.importer.tensorflow;

import org.jspecify.annotations.NullMarked;
