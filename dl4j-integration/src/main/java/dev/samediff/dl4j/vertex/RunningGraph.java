package dev.samediff.dl4j.vertex;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GraphVersion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.BaseGraphVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A running graph with adapters. The adapters' tensors are read from the network's flat parameters before every pass; the
 * error from above enters the graph as {@code sum(output * error)}.
 */
final class RunningGraph extends BaseGraphVertex {
    private static final String ERROR = "dl4j/error";
    private static final String LOSS = "dl4j/loss";

    private final AdaptedGraph configuration;
    private final SameDiff graph;
    private final DataType type;
    private final Engine engine;
    private final INDArray params;
    private final Map<String, INDArray> table;
    private @Nullable INDArray gradients;

    RunningGraph(
            AdaptedGraph configuration,
            ComputationGraph network,
            String name,
            int index,
            INDArray view,
            boolean initialize,
            DataType networkType) {
        super(network, name, index, null, null, networkType);
        this.configuration = configuration;
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            this.graph = AdaptedGraphs.graph(configuration.graph());
            this.params = view;
            this.table = tensors(view);
            SDVariable output = graph.getVariable(configuration.output());
            this.type = output.dataType();
            SDVariable error = graph.placeHolder(ERROR, type);
            output.mul("dl4j/products", error).sum(LOSS);
            this.engine = ReferenceEngine.withInputs(
                    graph,
                    LOSS,
                    configuration.tensors().stream().map(VertexTensor::variable).toList(),
                    configuration.inputs().stream()
                            .filter(this::isReal)
                            .distinct()
                            .toList());
            if (initialize) {
                configuration
                        .tensors()
                        .forEach(
                                tensor -> array(table, tensor.key()).assign(graph.getArrForVarName(tensor.variable())));
            }
        }
    }

    private Map<String, INDArray> tensors(INDArray view) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        INDArray flat = view.reshape(view.length());
        long offset = 0;
        for (VertexTensor tensor : configuration.tensors()) {
            INDArray part = flat.get(NDArrayIndex.interval(offset, offset + tensor.length()));
            tensors.put(tensor.key(), part.reshape('c', true, tensor.dimensions()));
            offset += tensor.length();
        }
        return tensors;
    }

    private static INDArray array(Map<String, INDArray> arrays, String key) {
        INDArray array = arrays.get(key);
        if (array == null) {
            throw new IllegalStateException("there is no " + key + " in " + arrays.keySet());
        }
        return array;
    }

    /** Copies of the tensors by the graph's names. */
    Map<String, INDArray> trainables() {
        Map<String, INDArray> copies = new LinkedHashMap<>();
        configuration.tensors().forEach(tensor -> {
            DataType ofVariable = graph.getVariable(tensor.variable()).dataType();
            copies.put(
                    tensor.variable(),
                    array(table, tensor.key()).castTo(ofVariable).dup());
        });
        return copies;
    }

    private boolean isReal(String placeholder) {
        return graph.getVariable(placeholder).dataType().isFPType();
    }

    private Map<String, INDArray> placeholders() {
        configuration
                .tensors()
                .forEach(tensor -> graph.getArrForVarName(tensor.variable()).assign(array(table, tensor.key())));
        GraphVersion.of(graph)
                .valuesChanged(configuration.tensors().stream()
                        .map(VertexTensor::variable)
                        .toList());
        Map<String, INDArray> placeholders = new LinkedHashMap<>();
        List<String> names = configuration.inputs();
        for (int i = 0; i < names.size(); i++) {
            placeholders.put(
                    names.get(i),
                    inputs[i].castTo(graph.getVariable(names.get(i)).dataType()));
        }
        return placeholders;
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray result;
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            result = array(engine.outputs(placeholders(), List.of(configuration.output())), configuration.output());
        }
        return workspaceMgr.dup(ArrayType.ACTIVATIONS, layout(result).castTo(dataType));
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaceMgr) {
        if (gradients == null) {
            throw new IllegalStateException("the vertex " + vertexName + " has no gradient array yet");
        }
        Map<String, INDArray> targets = tensors(gradients);
        Gradient result = new DefaultGradient(gradients);
        INDArray[] below = new INDArray[inputs.length];
        try (MemoryWorkspace outside = Nd4j.getWorkspaceManager().scopeOutOfWorkspaces()) {
            Map<String, INDArray> placeholders = placeholders();
            placeholders.put(ERROR, layout(epsilon).castTo(type).dup('c'));
            Map<String, INDArray> byVariable = engine.gradients(placeholders).byName();
            for (VertexTensor tensor : configuration.tensors()) {
                INDArray target = array(targets, tensor.key());
                target.assign(array(byVariable, tensor.variable()));
                result.setGradientFor(tensor.key(), target, 'c');
            }
            for (int i = 0; i < below.length; i++) {
                below[i] = byVariable.get(configuration.inputs().get(i)); // numbers that choose have none
            }
        }
        for (int i = 0; i < below.length; i++) {
            below[i] = below[i] == null
                    ? workspaceMgr.create(ArrayType.ACTIVATION_GRAD, dataType, inputs[i].shape(), 'c')
                    : workspaceMgr.dup(ArrayType.ACTIVATION_GRAD, below[i].castTo(dataType));
        }
        return new Pair<>(result, below);
    }

    /** [N,T,D] of graphs is [N,D,T] in DL4J, and the other way round. */
    private static INDArray layout(INDArray array) {
        return array.rank() == 3 ? array.permute(0, 2, 1) : array;
    }

    @Override
    public void setBackpropGradientsViewArray(INDArray view) {
        view.assign(0);
        gradients = view;
    }

    @Override
    public @Nullable INDArray getGradientsViewArray() {
        return gradients;
    }

    /** Masks go on with sequences. */
    @Override
    public @Nullable Pair<INDArray, MaskState> feedForwardMaskArrays(
            INDArray @Nullable [] maskArrays, MaskState currentMaskState, int minibatchSize) {
        return maskArrays == null ? null : new Pair<>(maskArrays[0], currentMaskState);
    }

    @Override
    public Map<String, INDArray> paramTable(boolean backpropOnly) {
        return table;
    }

    @Override
    public long numParams() {
        return params.length();
    }

    @Override
    public INDArray params() {
        return params;
    }

    @Override
    public TrainingConfig getConfig() {
        return configuration;
    }

    @Override
    public boolean hasLayer() {
        return false;
    }

    @Override
    public @Nullable Layer getLayer() {
        return null;
    }

    @Override
    public void clearVertex() {
        clear();
    }

    @Override
    public String toString() {
        return "AdaptedGraph(name=" + vertexName + ", output=" + configuration.output() + ")";
    }
}
