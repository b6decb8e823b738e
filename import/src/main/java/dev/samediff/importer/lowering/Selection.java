package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.Axes;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/** Choosing elements that a condition names, and the reverse: one-hot rows. */
final class Selection {
    private Selection() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("OneHot", Selection::oneHot);
        operators.put("Compress", Selection::compress);
        operators.put("EyeLike", Selection::eyeLike);
        operators.put("NonZero", call -> {
            throw call.refused(
                    "asks where a computed tensor is not zero; only tensors known while importing can be asked",
                    "how many places there are depends on the data: write the model with masks in place of indices"
                            + " (multiply by the mask, torch.where; of a mixture of experts, compute every expert and weigh what"
                            + " they give), and export it again");
        });
    }

    private static List<Value> oneHot(NodeCall call) {
        Value indices = call.emit("Cast", Map.of("to", 7), call.in(0));
        Dim depth = call.known(1, "depth").dim(0);
        if (depth.isKnown() && depth.known() < 1) {
            throw call.invalid("makes one-hot rows of " + depth + " elements");
        }
        Value values = call.in(2);
        long given = call.node().integer("axis", -1);
        int axis = Axes.normalise(call.node(), given, indices.rank() + 1);
        Value places = Gathering.positive(call, indices, depth);
        Value numbers = Value.computed(Creation.numbers(call, depth), DataType.LONG, List.of(depth));
        Value equal = call.emit("Equal", call.emit("Unsqueeze", places, call.vector(indices.rank())), numbers);
        Value off = call.emit("Gather", values, Gathering.number(call, Dim.ZERO));
        Value on = call.emit("Gather", values, Gathering.number(call, Dim.ONE));
        return List.of(Gathering.axisBack(call, call.emit("Where", equal, on, off), axis));
    }

    private static List<Value> compress(NodeCall call) {
        HostTensor condition = call.known(1, "condition");
        long[] places = IntStream.range(0, condition.length())
                .filter(i -> condition.asLong(i) != 0)
                .asLongStream()
                .toArray();
        Value x = call.in(0);
        if (call.node().has("axis")) {
            return List.of(call.emit("Gather", Map.of("axis", call.axis("axis", 0, x.rank())), x, call.vector(places)));
        }
        return List.of(call.emit("Gather", call.emit("Reshape", x, call.vector(-1)), call.vector(places)));
    }

    private static List<Value> eyeLike(NodeCall call) {
        Value x = call.in(0);
        if (x.rank() != 2) {
            throw call.invalid("makes a unit matrix like a tensor of rank " + x.rank());
        }
        Value rows = Value.computed(Creation.numbers(call, x.dim(0)), DataType.LONG, List.of(x.dim(0)));
        Value columns = Value.computed(Creation.numbers(call, x.dim(1)), DataType.LONG, List.of(x.dim(1)));
        Value shifted = call.emit(
                "Add",
                call.emit("Unsqueeze", rows, call.vector(1)),
                call.builder().constant(HostTensor.of(DataType.LONG, new long[0], new long[] {
                    call.node().integer("k", 0)
                })));
        Value equal = call.emit("Equal", shifted, columns);
        long type = call.node().integer("dtype", OnnxTypes.number(x.type()));
        return List.of(call.emit("Cast", Map.of("to", type), equal));
    }
}
