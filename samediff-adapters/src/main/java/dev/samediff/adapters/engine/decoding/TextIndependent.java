package dev.samediff.adapters.engine.decoding;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Shapes;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What does not depend on the text: weights, tables of positions, causal masks; all of it, or the part of one position. */
final class TextIndependent {
    private final ProgramBuilder builder;
    private final Map<Tensor, Node> producers;
    private final Map<Tensor, INDArray> literals;
    private final Map<Tensor, Tensor> whole = new HashMap<>();
    private final long batch;
    private final long length;

    TextIndependent(Program program, ProgramBuilder builder, long batch, long length) {
        this.builder = builder;
        this.producers = program.producers();
        this.literals = program.literals();
        this.batch = batch;
        this.length = length;
    }

    /** Returns the leaf with the position of each text, [batch]. */
    Tensor positions() {
        return builder.leaf(Decoding.POSITIONS, DataType.LONG, batch);
    }

    private Tensor rows() {
        return builder.leaf(Decoding.ROWS, DataType.LONG, batch);
    }

    /** Returns all of it. */
    Tensor whole(Tensor tensor) {
        Tensor known = whole.get(tensor);
        if (known != null) {
            return known;
        }
        Node producer = producers.get(tensor);
        if (producer != null) {
            List<Tensor> outputs = builder.add(
                    producer.op(),
                    producer.inputs().stream().map(this::whole).toList(),
                    producer.outputs().stream().map(Tensor::type).toList(),
                    producer.outputs().stream().map(Tensor::shape).toList());
            for (int i = 0; i < outputs.size(); i++) {
                whole.put(producer.outputs().get(i), outputs.get(i));
            }
        } else {
            INDArray literal = literals.get(tensor);
            whole.put(
                    tensor,
                    literal == null
                            ? builder.leaf(tensor.name(), tensor.type(), tensor.shape())
                            : builder.literal(tensor.name(), literal));
        }
        return Objects.requireNonNull(whole.get(tensor));
    }

    /**
     * Returns the part that belongs to each text's position.
     *
     * @param tensor has all positions at the given place
     * @param output what it is broadcast to
     */
    Tensor single(Tensor tensor, Position position, Tensor output) {
        int leading = FlowRules.leading(output);
        boolean batched = batch > 1 && tensor.size(leading) != 1;
        long before = position.before(tensor.shape());
        Tensor rows = rows(tensor, before, batched);
        long[] shape = position.single(length, tensor.shape());
        if (batched || batch == 1) {
            return builder.reshape(rows, shape);
        }
        long repeats = output.size(leading) / batch;
        long[] texts = Shapes.with(shape, leading, batch);
        if (repeats == 1) {
            return builder.reshape(rows, texts);
        }
        long rest = Shapes.length(shape);
        Tensor repeated = builder.expand(builder.reshape(rows, batch, 1, rest), batch, repeats, rest);
        return builder.reshape(repeated, Shapes.with(shape, leading, batch * repeats));
    }

    /** Returns the elements of each text's position, [batch, elements]. */
    private Tensor rows(Tensor tensor, long before, boolean batched) {
        Node producer = producers.get(tensor);
        if (producer != null && producer.op() instanceof Op.Reshape) {
            return rows(producer.input(0), before, batched);
        }
        long texts = batched ? batch : 1;
        long outer = before / texts;
        long inner = tensor.length() / before / length;
        if (producer != null && producer.op() instanceof Op.Gather && outer == 1) {
            Tensor ids = rows(producer.input(1), before, batched);
            long width = tensor.size(1);
            Tensor flat = builder.reshape(ids, ids.length());
            Tensor found = builder.add(
                    new Op.Gather(), List.of(whole(producer.input(0)), flat), tensor.type(), ids.length(), width);
            return builder.reshape(found, batch, ids.length() / batch * width);
        }
        Tensor table = builder.permute(builder.reshape(whole(tensor), texts, outer, length, inner), 0, 2, 1, 3);
        return builder.add(
                new Op.Gather(),
                List.of(builder.reshape(table, texts * length, outer * inner), batched ? rows() : positions()),
                tensor.type(),
                batch,
                outer * inner);
    }
}
