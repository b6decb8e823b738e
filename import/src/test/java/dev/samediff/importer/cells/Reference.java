package dev.samediff.importer.cells;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import onnx.Onnx.ModelProto;
import onnx.Onnx.TensorProto;

/**
 * What ONNX Runtime makes of a cell. Where it has no code for a type it computes with a wider one: whole numbers as INT64,
 * cut to the type afterwards, real ones as FLOAT.
 *
 * @param verdict what ONNX Runtime said
 * @param outputs the results; empty if there are none
 * @param wide whether a wider type was taken
 */
record Reference(Verdict verdict, List<Numbers> outputs, boolean wide, String message) {
    /** What ONNX Runtime says to an operator on a type. */
    enum Verdict {
        /** There are results. */
        COMPUTED,
        /** ONNX does not have the operator for this type. */
        NOT_ONNX,
        /** ONNX has it, ONNX Runtime does not. */
        NOT_IMPLEMENTED
    }

    /** Operators that ONNX Runtime 1.22 does not load yet, by those that are the same. */
    private static final Map<String, String> SAME =
            Map.of("RMSNormalization", "SimplifiedLayerNormalization", "Swish", "com.microsoft:QuickGelu");

    private static final int OPSET = 18;

    static Reference of(Cell given) {
        Cell cell = SAME.containsKey(given.operator()) ? same(given) : given;
        Reference exact = run(cell, false);
        if (exact.verdict != Verdict.NOT_IMPLEMENTED) {
            return exact;
        }
        return wider(cell.type())
                .map(type -> run(widened(cell, type), true).cutTo(cell.type(), type))
                .orElse(exact);
    }

    private static Cell same(Cell cell) {
        return new Cell(
                SAME.getOrDefault(cell.operator(), ""),
                cell.type(),
                cell.situation(),
                OPSET,
                cell.inputs(),
                cell.outputs(),
                cell.attributes());
    }

    private static Optional<TensorProto.DataType> wider(TensorProto.DataType type) {
        return switch (type) {
            case INT32, INT16, INT8, UINT8, UINT16, UINT32 -> Optional.of(TensorProto.DataType.INT64);
            case DOUBLE, FLOAT16, BFLOAT16 -> Optional.of(TensorProto.DataType.FLOAT);
            default -> Optional.empty();
        };
    }

    private static Cell widened(Cell cell, TensorProto.DataType wide) {
        List<Cell.Input> inputs = cell.inputs().stream()
                .map(input -> input.numbers() != null && input.numbers().type() == cell.type()
                        ? new Cell.Input(input.numbers().as(wide), input.parameter())
                        : input)
                .toList();
        return new Cell(
                cell.operator(), wide, cell.situation(), cell.opset(), inputs, cell.outputs(), cell.attributes());
    }

    private Reference cutTo(TensorProto.DataType narrow, TensorProto.DataType wide) {
        List<Numbers> cut = outputs.stream()
                .map(output -> output.type() == wide && !Numbers.isReal(wide) ? output.as(narrow) : output)
                .toList();
        return new Reference(verdict, cut, true, message);
    }

    private static Reference run(Cell cell, boolean wide) {
        ModelProto model = new CellFile(cell, CellFile.Mode.STORED).model();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            try (OrtSession session = environment.createSession(model.toByteArray(), options);
                    OrtSession.Result result = session.run(Map.of())) {
                List<Numbers> outputs = new ArrayList<>();
                for (Map.Entry<String, OnnxValue> output : result) {
                    outputs.add(numbers((OnnxTensor) output.getValue()));
                }
                return new Reference(Verdict.COMPUTED, outputs, wide, "");
            }
        } catch (OrtException e) {
            String message = String.valueOf(e.getMessage());
            boolean typed = message.contains("Type Error") || message.contains("INVALID_GRAPH");
            return new Reference(
                    typed ? Verdict.NOT_ONNX : Verdict.NOT_IMPLEMENTED, List.of(), wide, message.split("\n")[0]);
        }
    }

    private static Numbers numbers(OnnxTensor tensor) {
        TensorProto.DataType type = TensorProto.DataType.forNumber(protoType(tensor));
        long[] shape = tensor.getInfo().getShape();
        return switch (type) {
            case FLOAT, FLOAT16, BFLOAT16 -> {
                FloatBuffer values = tensor.getFloatBuffer();
                yield Numbers.ofReals(type, shape, values::get);
            }
            case DOUBLE -> {
                DoubleBuffer values = tensor.getDoubleBuffer();
                yield Numbers.ofReals(type, shape, values::get);
            }
            case INT64 -> {
                LongBuffer values = tensor.getLongBuffer();
                yield Numbers.of(type, shape, values::get);
            }
            case INT32, UINT32 -> {
                IntBuffer values = tensor.getIntBuffer();
                yield Numbers.of(type, shape, values::get);
            }
            case INT16, UINT16 -> {
                ShortBuffer values = tensor.getShortBuffer();
                yield Numbers.of(type, shape, values::get);
            }
            default -> {
                ByteBuffer values = tensor.getByteBuffer();
                yield Numbers.of(type, shape, values::get);
            }
        };
    }

    private static int protoType(OnnxTensor tensor) {
        String name = tensor.getInfo().onnxType.name();
        return TensorProto.DataType.valueOf(name.substring(name.lastIndexOf('_') + 1)).getNumber();
    }
}
