package dev.samediff.importer.onnx;

import java.util.List;
import onnx.Onnx;

/** Declarations of the inputs and outputs of an ONNX graph: name, element type, sizes. */
final class ValueInfos {
    private ValueInfos() {}

    /** Declares a stored tensor. */
    static Onnx.ValueInfoProto of(Onnx.TensorProto tensor) {
        return of(
                tensor.getName(),
                tensor.getDataType(),
                tensor.getDimsList().stream().map(String::valueOf).toList());
    }

    /**
     * Declares a value.
     *
     * @param name its name
     * @param type element type
     * @param dims sizes, as numbers or names
     */
    static Onnx.ValueInfoProto of(String name, int type, List<String> dims) {
        Onnx.TensorShapeProto.Builder shape = Onnx.TensorShapeProto.newBuilder();
        for (String dim : dims) {
            if (dim.matches("\\d+")) {
                shape.addDimBuilder().setDimValue(Long.parseLong(dim));
            } else {
                shape.addDimBuilder().setDimParam(dim);
            }
        }
        Onnx.TypeProto.Tensor tensor = Onnx.TypeProto.Tensor.newBuilder()
                .setElemType(type)
                .setShape(shape)
                .build();
        return Onnx.ValueInfoProto.newBuilder()
                .setName(name)
                .setType(Onnx.TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }

    /** Returns the element type that is declared for a value; FLOAT if none is. */
    static int type(List<Onnx.ValueInfoProto> declared, String name) {
        return declared.stream()
                .filter(value -> value.getName().equals(name))
                .map(value -> value.getType().getTensorType().getElemType())
                .filter(type -> type != Onnx.TensorProto.DataType.UNDEFINED_VALUE)
                .findFirst()
                .orElse(Onnx.TensorProto.DataType.FLOAT_VALUE);
    }
}
