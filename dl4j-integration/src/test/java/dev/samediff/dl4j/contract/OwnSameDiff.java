package dev.samediff.dl4j.contract;

import java.util.Map;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.samediff.SDLayerParams;
import org.deeplearning4j.nn.conf.layers.samediff.SDVertexParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** What users write on DL4J's SameDiff classes. */
final class OwnSameDiff {
    private OwnSameDiff() {}

    private static void start(Map<String, INDArray> params) {
        params.forEach((name, array) -> array.assign(
                Nd4j.linspace(-0.7, 0.9, array.length(), array.dataType()).reshape(array.shape())));
    }

    /** {@code tanh(x W + b)}. */
    public static class Dense extends SameDiffLayer {
        private final int in;
        private final int out;

        Dense(@JsonProperty("in") int in, @JsonProperty("out") int out) {
            this.in = in;
            this.out = out;
        }

        public int getIn() {
            return in;
        }

        public int getOut() {
            return out;
        }

        @Override
        public SDVariable defineLayer(
                SameDiff graph, SDVariable input, Map<String, SDVariable> params, SDVariable mask) {
            return graph.math().tanh(input.mmul(params.get("W")).add(params.get("b")));
        }

        @Override
        public void defineParameters(SDLayerParams params) {
            params.addWeightParam("W", in, out);
            params.addBiasParam("b", 1, out);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> params) {
            start(params);
        }

        @Override
        public InputType getOutputType(int layerIndex, InputType inputType) {
            return InputType.feedForward(out);
        }
    }

    /** {@code x^2 + x}, which reads its input twice. */
    public static class Lambda extends SameDiffLambdaLayer {
        @Override
        public SDVariable defineLayer(SameDiff graph, SDVariable input) {
            return input.mul(input).add(input);
        }

        @Override
        public InputType getOutputType(int layerIndex, InputType inputType) {
            return inputType;
        }
    }

    /** Squared distance of {@code x W} from the labels. */
    public static class Output extends SameDiffOutputLayer {
        private final int in;
        private final int out;

        Output(@JsonProperty("in") int in, @JsonProperty("out") int out) {
            this.in = in;
            this.out = out;
        }

        public int getIn() {
            return in;
        }

        public int getOut() {
            return out;
        }

        @Override
        public SDVariable defineLayer(
                SameDiff graph, SDVariable input, SDVariable labels, Map<String, SDVariable> params) {
            SDVariable output = input.mmul("output", params.get("W"));
            return graph.math().square(output.sub(labels)).mean("loss");
        }

        @Override
        public String activationsVertexName() {
            return "output";
        }

        @Override
        public void defineParameters(SDLayerParams params) {
            params.addWeightParam("W", in, out);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> params) {
            start(params);
        }

        @Override
        public InputType getOutputType(int layerIndex, InputType inputType) {
            return InputType.feedForward(out);
        }
    }

    /** {@code tanh(a W) b}, by element. */
    public static class Vertex extends SameDiffVertex {
        private final int in;
        private final int out;

        Vertex(@JsonProperty("in") int in, @JsonProperty("out") int out) {
            this.in = in;
            this.out = out;
        }

        public int getIn() {
            return in;
        }

        public int getOut() {
            return out;
        }

        @Override
        public GraphVertex clone() {
            return new Vertex(in, out);
        }

        @Override
        public SDVariable defineVertex(
                SameDiff graph,
                Map<String, SDVariable> inputs,
                Map<String, SDVariable> params,
                Map<String, SDVariable> masks) {
            return graph.math().tanh(inputs.get("a").mmul(params.get("W"))).mul(inputs.get("b"));
        }

        @Override
        public void defineParametersAndInputs(SDVertexParams params) {
            params.defineInputs("a", "b");
            params.addWeightParam("W", in, out);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> params) {
            start(params);
        }

        @Override
        public InputType getOutputType(int layerIndex, InputType... inputs) {
            return InputType.feedForward(out);
        }
    }

    /** {@code a b + a}, by element. */
    public static class LambdaVertex extends SameDiffLambdaVertex {
        @Override
        public SDVariable defineVertex(SameDiff graph, VertexInputs inputs) {
            return inputs.getInput(0).mul(inputs.getInput(1)).add(inputs.getInput(0));
        }

        @Override
        public InputType getOutputType(int layerIndex, InputType... inputs) {
            return inputs[0];
        }
    }
}
