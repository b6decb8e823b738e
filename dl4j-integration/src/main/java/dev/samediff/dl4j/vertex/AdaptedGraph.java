package dev.samediff.dl4j.vertex;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonIgnore;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A SameDiff graph with adapters as a vertex of a {@code ComputationGraph}: an imported transformer below a DL4J output
 * layer.
 *
 * <pre>{@code
 * AdaptedModel model = AdaptedModel.inject(imported, config);
 * new NeuralNetConfiguration.Builder().updater(new Adam(1e-3)).graphBuilder()
 *     .addInputs("ids", "mask")
 *     .addVertex("bert", AdaptedGraph.of(model, new Adam(1e-3), "pooler_output", "input_ids", "attention_mask"), "ids", "mask")
 *     .addLayer("intent", new OutputLayer.Builder().nIn(128).nOut(77).build(), "bert")
 * }</pre>
 *
 * <p>The vertex' parameters are the adapters' tensors; everything else of the graph travels in the configuration, frozen, so
 * that {@code ModelSerializer} files are complete (and as large as the graph; SameDiff's own format ends at 1 GB). Its inputs
 * are converted to the types of the graph's placeholders, keep their layout, and hand a gradient to what lies below if they are
 * floating point numbers. An output [N,T,D] is handed on as [N,D,T],
 * DL4J's layout of sequences. DL4J adds the penalties of layers, not of vertices, to the score it reports: the regulariser of
 * SORSA acts on a vertex without showing there.
 */
public final class AdaptedGraph extends GraphVertex implements TrainingConfig {
    private static final long serialVersionUID = 1L;

    private final byte[] graph;
    private final ArrayList<String> inputs;
    private final String output;
    private final ArrayList<VertexTensor> tensors;
    private final IUpdater updater;

    private @Nullable String name;

    /** Creates the configuration from its parts, as JSON has them; {@link #of} is for people. */
    @JsonCreator
    public AdaptedGraph(
            @JsonProperty("graph") byte[] graph,
            @JsonProperty("inputs") List<String> inputs,
            @JsonProperty("output") String output,
            @JsonProperty("tensors") List<VertexTensor> tensors,
            @JsonProperty("updater") IUpdater updater,
            @JsonProperty("name") @Nullable String name) {
        this.graph = graph;
        this.inputs = new ArrayList<>(inputs);
        this.output = output;
        this.tensors = new ArrayList<>(tensors);
        this.updater = updater;
        this.name = name;
    }

    /**
     * Makes a vertex of a graph with adapters, as they are now.
     *
     * @param model the graph; it is copied
     * @param updater the updater of the tensors; its learning rate is eta_max of the penalty
     * @param output the variable handed on, [N,D] or [N,T,D]
     * @param inputs the placeholders, in the order of the vertex' inputs
     * @throws InvalidInputException if a name does not exist in the graph
     */
    public static AdaptedGraph of(AdaptedModel model, IUpdater updater, String output, String... inputs) {
        return AdaptedGraphs.describe(model, updater, output, Arrays.asList(inputs));
    }

    /**
     * Returns copies of a trained vertex' tensors by the graph's names, for {@code AdaptedModel.restore}, with which they are
     * saved, merged and exported.
     *
     * @param network the network
     * @param vertex the vertex' name
     */
    public static Map<String, INDArray> trainables(ComputationGraph network, String vertex) {
        if (network.getVertex(vertex) instanceof RunningGraph running) {
            return running.trainables();
        }
        throw new InvalidInputException("`" + vertex + "` is no adapted graph; the network has the vertices "
                + Stream.of(network.getVertices())
                        .map(org.deeplearning4j.nn.graph.vertex.GraphVertex::getVertexName)
                        .toList());
    }

    /** Returns the graph in SameDiff's format. */
    @JsonProperty("graph")
    byte[] graph() {
        return graph;
    }

    /** Returns the placeholders, in the order of the vertex' inputs. */
    @JsonProperty("inputs")
    public List<String> inputs() {
        return List.copyOf(inputs);
    }

    /** Returns the variable handed on. */
    @JsonProperty("output")
    public String output() {
        return output;
    }

    /** Returns the trainable tensors. */
    @JsonProperty("tensors")
    public List<VertexTensor> tensors() {
        return List.copyOf(tensors);
    }

    /** Returns the updater of the tensors. */
    @JsonProperty("updater")
    public IUpdater updater() {
        return updater;
    }

    @Override
    @JsonProperty("name")
    public @Nullable String getLayerName() {
        return name;
    }

    @Override
    public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
            ComputationGraph network,
            String vertexName,
            int index,
            INDArray paramsView,
            boolean initializeParams,
            DataType networkDatatype) {
        name = vertexName;
        return new RunningGraph(this, network, vertexName, index, paramsView, initializeParams, networkDatatype);
    }

    @Override
    public long numParams(boolean backprop) {
        return tensors.stream().mapToLong(VertexTensor::length).sum();
    }

    @Override
    public int minVertexInputs() {
        return inputs.size();
    }

    @Override
    public int maxVertexInputs() {
        return inputs.size();
    }

    @Override
    public List<Regularization> getRegularizationByParam(String paramName) {
        return tensors.stream()
                .filter(tensor -> tensor.key().equals(paramName))
                .<Regularization>flatMap(tensor -> Stream.ofNullable(tensor.penalty()))
                .toList();
    }

    @Override
    public IUpdater getUpdaterByParam(String paramName) {
        return updater;
    }

    @Override
    public boolean isPretrainParam(String paramName) {
        return false;
    }

    @Override
    @JsonIgnore
    public GradientNormalization getGradientNormalization() {
        return GradientNormalization.None;
    }

    @Override
    @JsonIgnore
    public double getGradientNormalizationThreshold() {
        return 0;
    }

    /** Does nothing: the graph has its own types. */
    @Override
    @JsonIgnore
    public void setDataType(DataType dataType) {}

    @Override
    public InputType getOutputType(int layerIndex, InputType... vertexInputs) {
        throw new UnsupportedOperationException(
                "the sizes of an adapted graph are not known to DL4J; give nIn of the layers above and leave setInputTypes out");
    }

    @Override
    public @Nullable MemoryReport getMemoryReport(InputType... inputTypes) {
        return null;
    }

    @Override
    public AdaptedGraph clone() {
        return new AdaptedGraph(graph, inputs, output, tensors, updater.clone(), name);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof AdaptedGraph other
                && Arrays.equals(graph, other.graph)
                && inputs.equals(other.inputs)
                && output.equals(other.output)
                && tensors.equals(other.tensors)
                && updater.equals(other.updater);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(graph), inputs, output, tensors);
    }
}
