package dev.samediff.importer.onnx;

import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Weights that a file computes from stored tensors before it multiplies by them (a part of a joined one, several joined, in
 * another shape, normalised) become stored tensors of their own, so that they are linear layers. Their numbers are computed
 * while they are read. Weights that are only cast or turned round are seen through by the importer and are left alone.
 */
final class FoldedWeights {
    /** Ends the names of the new tensors. */
    static final String SUFFIX = "::folded";

    private static final Set<String> SEEN_THROUGH = Set.of("Identity", "Cast", "Transpose");

    private final GraphRewriting graph;
    private final ExternalData files;
    private final WeightChains chains;
    private final Map<String, String> tensors = new HashMap<>();
    private final Map<String, ComputedWeight> folded = new LinkedHashMap<>();

    private FoldedWeights(GraphProto source, ExternalData files, int opset, Map<String, HostTensor> numbers) {
        this.graph = new GraphRewriting(source);
        this.files = files;
        this.chains = new WeightChains(graph, files, opset, numbers);
    }

    /**
     * A graph with folded weights.
     *
     * @param graph the graph
     * @param weights what the new tensors stand for, by their names
     * @param open values of whole numbers that were asked for and are not known
     */
    record Folded(GraphProto graph, Map<String, ComputedWeight> weights, Set<String> open) {}

    /**
     * Returns the graph with folded weights; the same graph if it has none.
     *
     * @param numbers whole numbers that are known beside those of the file, by the names of their values
     */
    static Folded of(GraphProto source, ExternalData files, int opset, Map<String, HostTensor> numbers) {
        FoldedWeights weights = new FoldedWeights(source, files, opset, numbers);
        source.getNodeList().forEach(weights::look);
        GraphProto graph = weights.folded.isEmpty() ? source : weights.graph.result();
        return new Folded(graph, weights.folded, weights.chains.open());
    }

    private void look(NodeProto node) {
        List<Integer> places = switch (node.getOpType()) {
            case "MatMul", "Einsum" -> List.of(0, 1);
            case "Gemm", "Conv", "FusedMatMul" -> List.of(1);
            default -> List.of();
        };
        NodeProto.Builder changed = node.toBuilder();
        for (int place : places) {
            boolean alone = place < node.getInputCount()
                    && (places.size() == 1
                            || (node.getInputCount() == 2
                                    && chains.of(node.getInput(1 - place)).isEmpty()));
            if (alone) {
                folded(node.getInput(place), node.getOpType().equals("Conv"))
                        .ifPresent(tensor -> changed.setInput(place, tensor));
            }
        }
        graph.keep(changed.build());
    }

    private Optional<String> folded(String value, boolean convolution) {
        String known = tensors.get(value);
        if (known != null) {
            return Optional.of(known);
        }
        if (isSeenThrough(value)) {
            return Optional.empty();
        }
        Optional<WeightPart> part = chains.of(value)
                .filter(found -> convolution ? found.shape().length > 2 : found.shape().length >= 2)
                .filter(found ->
                        HostTensor.length(found.shape()) > 0 && HostTensor.length(found.shape()) < Integer.MAX_VALUE);
        return part.map(found -> store(value, found));
    }

    /** Whether the importer sees the stored matrix behind a value by itself. */
    private boolean isSeenThrough(String value) {
        String source = value;
        for (int i = 0; i < TensorReaders.LONGEST_CHAIN; i++) {
            OnnxNode writer = graph.writer(source);
            TensorProto stored = graph.stored(source);
            if (stored != null || writer == null) {
                return true;
            }
            long[] order = writer.integers("perm");
            boolean turnsMatrix = order == null || Arrays.equals(order, new long[] {1, 0});
            if (!SEEN_THROUGH.contains(writer.operator()) || (writer.operator().equals("Transpose") && !turnsMatrix)) {
                return false;
            }
            source = writer.input(0);
        }
        return true;
    }

    private String store(String value, WeightPart part) {
        String name = graph.fresh(FoldedNames.of(value, part) + SUFFIX);
        List<Long> dims = Arrays.stream(part.shape()).boxed().toList();
        TensorData data = new Lazy(part);
        TensorProto template = TensorProto.newBuilder()
                .setName(value)
                .setDataType(part.type())
                .addAllDims(dims)
                .build();
        graph.store(template.toBuilder()
                .setName(name)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addAllExternalData(ExternalData.reference(files.add(data), 0, data.size()))
                .build());
        tensors.put(value, name);
        folded.put(name, new ComputedWeight(value, template, false));
        return name;
    }

    /** Numbers that are computed when they are read. */
    private record Lazy(WeightPart part) implements TensorData {
        @Override
        public long size() {
            TensorProto.DataType type = TensorProto.DataType.forNumber(part.type());
            return HostTensor.length(part.shape()) * StoredNumbers.bytesPerElement(type);
        }

        @Override
        public void forEachPiece(int most, Consumer consumer) throws IOException {
            INDArray numbers = part.numbers().get();
            new Values(numbers, TensorProto.DataType.forNumber(part.type())).forEachPiece(most, consumer);
        }
    }

    /** Names of folded weights, as near to the names of what they are made of as the importer's naming can use. */
    static final class FoldedNames {
        private FoldedNames() {}

        static String of(String value, WeightPart part) {
            List<String> modules = new ArrayList<>();
            for (String source : part.sources()) {
                String plain = source.replaceFirst("(::dequantised|::folded)(_\\d+)?$", "")
                        .replaceFirst("_[gv]$", "")
                        .replaceFirst("\\.parametrizations\\.weight\\.original[01]?$", ".weight");
                if (!modules.contains(plain)) {
                    modules.add(plain);
                }
            }
            if (modules.size() == 1 && part.rows().isEmpty()) {
                return modules.get(0);
            }
            if (modules.size() == 1 && modules.get(0).endsWith("in_proj_weight")) {
                String layer = modules.get(0).replaceFirst("_weight$", "");
                return layer + "_" + letters(part) + ".weight";
            }
            boolean allNamed =
                    modules.stream().allMatch(each -> each.endsWith(".weight") && !each.startsWith("onnx::"));
            if (modules.size() > 1 && allNamed && part.rows().isEmpty()) {
                return joined(modules);
            }
            return value;
        }

        /** Which of queries, keys and values a part of torch's in_proj_weight [3 n, n] makes. */
        private static String letters(WeightPart part) {
            long[] shape = part.shape();
            long width = Math.max(1, Math.min(shape[0], shape[shape.length - 1]));
            String digits = part.rows().replaceAll("[^0-9-]", "");
            String[] ends = digits.split("-", -1);
            long first = ends.length == 2 && !ends[0].isEmpty() ? Long.parseLong(ends[0]) / width : 0;
            long last = ends.length == 2 && !ends[1].isEmpty() ? Long.parseLong(ends[1]) / width : 0;
            return first < last && last <= 3 ? "qkv".substring((int) first, (int) last) : "part";
        }

        /** {@code attn.q_proj.weight, attn.k_proj.weight} are {@code attn.q_proj_k_proj.weight}. */
        private static String joined(List<String> modules) {
            String first = modules.get(0);
            String prefix = first.substring(0, first.lastIndexOf('.', first.length() - ".weight".length() - 1) + 1);
            StringBuilder name = new StringBuilder(prefix);
            for (String module : modules) {
                String path = module.substring(0, module.length() - ".weight".length());
                String own = path.startsWith(prefix) ? path.substring(prefix.length()) : path.replace('.', '_');
                name.append(name.length() == prefix.length() ? "" : "_").append(own);
            }
            return name.append(".weight").toString();
        }
    }
}
