package dev.samediff.adapters.engine.decoding;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;

/** Writes the program of one position, node by node, and notes which tensors have to be kept for it. */
final class DecodingBuilder {
    private final Program program;
    private final Tensor ids;
    private final long batch;
    private final long length;
    private final Map<Tensor, Node> producers;
    private final ProgramBuilder builder = new ProgramBuilder();
    private final TextIndependent constants;
    /** Where the tensors that depend on the text have their position. */
    private final Map<Tensor, Position> text = new HashMap<>();
    /** The same tensors for one position. */
    private final Map<Tensor, Tensor> singles = new HashMap<>();

    private final Map<Tensor, Tensor> kept = new HashMap<>();
    private final List<Cache> caches = new ArrayList<>();
    private final Map<String, Tensor> sources = new LinkedHashMap<>();
    private final FlowRules rules;

    DecodingBuilder(Program program, Tensor ids) {
        if (ids.rank() != 2 || ids.size(1) < 2) {
            throw new UncompilableException("the token ids are " + ids + ", expected [batch, T] with T of 2 and more");
        }
        this.program = program;
        this.ids = ids;
        this.batch = ids.size(0);
        this.length = ids.size(1);
        this.producers = program.producers();
        this.constants = new TextIndependent(program, builder, batch, length);
        this.rules = new FlowRules(text, batch, length);
    }

    Decoding build(String logits) {
        Position start = new Position(1, 1);
        text.put(ids, start);
        singles.put(ids, builder.leaf(ids.name(), ids.type(), start.single(length, ids.shape())));
        for (Node node : program.nodes()) {
            if (node.inputs().stream().anyMatch(text::containsKey)) {
                add(node, rules.of(node));
            }
        }
        Tensor single = singles.get(program.output(logits));
        if (single == null) {
            throw new UncompilableException("the logits `" + logits + "` do not depend on `" + ids.name() + "`");
        }
        Program step = builder.build(Map.of(logits, single));
        Program prefill =
                new Program(program.nodes(), program.leaves(), program.literals(), sources).withoutDeadNodes();
        return new Decoding(prefill, step, caches);
    }

    private void add(Node node, Flow flow) {
        List<Tensor> inputs = new ArrayList<>();
        for (int i = 0; i < node.inputs().size(); i++) {
            Tensor input = node.input(i);
            inputs.add(
                    switch (flow.inputs().get(i)) {
                        case SINGLE -> single(input);
                        case ALONG -> along(node, input, flow.output());
                        case WHOLE -> whole(input);
                    });
        }
        List<long[]> shapes = node.outputs().stream()
                .map(output -> flow.output().single(length, output.shape()))
                .toList();
        List<Tensor> outputs = builder.add(
                node.op(), inputs, node.outputs().stream().map(Tensor::type).toList(), shapes);
        for (int i = 0; i < outputs.size(); i++) {
            text.put(node.outputs().get(i), flow.output());
            singles.put(node.outputs().get(i), outputs.get(i));
        }
    }

    private Tensor single(Tensor tensor) {
        return Objects.requireNonNull(singles.get(tensor), tensor.name());
    }

    private Tensor along(Node node, Tensor input, Position position) {
        Tensor output = node.output();
        Position own = text.get(input);
        if (input.rank() != output.rank()) {
            throw new UncompilableException(input + " has not as many axes as " + output);
        }
        if (own != null && own.equals(position)) {
            return single(input);
        }
        if (input.size(position.axis()) == 1) {
            return whole(input);
        }
        if (own != null) {
            throw new UncompilableException("the model computes " + output + " by "
                    + node.op().title() + " of " + input + ", which has its positions elsewhere");
        }
        return constants.single(input, position, output);
    }

    /** Returns all of a tensor; what depends on the text is kept, before it is permuted. */
    private Tensor whole(Tensor tensor) {
        Position position = text.get(tensor);
        if (position == null) {
            return constants.whole(tensor);
        }
        Node producer = producers.get(tensor);
        if (producer != null && producer.op() instanceof Op.Permute) {
            return builder.add(producer.op(), List.of(whole(producer.input(0))), tensor.type(), tensor.shape());
        }
        return kept.computeIfAbsent(tensor, key -> keep(key, position));
    }

    private Tensor keep(Tensor tensor, Position position) {
        long before = position.before(tensor.shape());
        if (tensor.type() != DataType.FLOAT || before % batch != 0) {
            throw new UncompilableException(
                    tensor + " of the text would have to be kept; only FLOAT with the batch in" + " front can be");
        }
        Cache cache = new Cache("decoding.cache." + caches.size(), before, tensor.length() / before / length);
        caches.add(cache);
        sources.put(cache.name(), tensor);
        Tensor leaf = builder.leaf(cache.name(), tensor.type(), cache.shape(length));
        List<Tensor> inputs = List.of(leaf, single(tensor), constants.positions());
        Tensor written = builder.add(new Op.WriteRows(), inputs, tensor.type(), leaf.shape());
        return builder.reshape(written, tensor.shape());
    }
}
