package dev.samediff.importer.tensorflow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.tensorflow.framework.GraphDef;

/** The transformers, with inputs of two shapes. */
public enum TensorFlowModels {
    BERT(Transformers::bert, List.of("sequence", "pooled"), List.of(text(2, 5, true), text(3, 7, true))),
    GPT2(Transformers::gpt2, List.of("logits"), List.of(text(2, 5, false), text(3, 7, false))),
    VIT(Transformers::vit, List.of("classes"), List.of(images(2), images(3)));

    private final Consumer<Transformers> form;
    private final List<String> outputs;
    private final List<Map<String, INDArray>> inputs;

    TensorFlowModels(Consumer<Transformers> form, List<String> outputs, List<Map<String, INDArray>> inputs) {
        this.form = form;
        this.outputs = outputs;
        this.inputs = inputs;
    }

    private static Map<String, INDArray> text(int batch, int length, boolean bert) {
        int[] ids = new int[batch * length];
        int[] mask = new int[batch * length];
        int[] segments = new int[batch * length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (7 * i + 3) % Transformers.VOCABULARY;
            mask[i] = i % length < length - i / length ? 1 : 0;
            segments[i] = i % length > 2 ? 1 : 0;
        }
        Map<String, INDArray> all = new LinkedHashMap<>();
        all.put("input_ids", Nd4j.createFromArray(ids).reshape(batch, length));
        if (bert) {
            all.put("input_mask", Nd4j.createFromArray(mask).reshape(batch, length));
            all.put("segment_ids", Nd4j.createFromArray(segments).reshape(batch, length));
        }
        return all;
    }

    private static Map<String, INDArray> images(int batch) {
        return Map.of(
                "images",
                Transformers.values("images" + batch, 0, batch, 8, 8, 3).mul(4));
    }

    /** Numbers between -1 and 1 that outputs are multiplied with to make one number of them. */
    public static INDArray factors(long... shape) {
        INDArray factors = Nd4j.create(org.nd4j.linalg.api.buffer.DataType.FLOAT, shape);
        for (long i = 0; i < factors.length(); i++) {
            factors.putScalar(i, Math.sin(1.7 * i + 0.4));
        }
        return factors;
    }

    public List<String> outputs() {
        return outputs;
    }

    public List<Map<String, INDArray>> inputs() {
        return inputs;
    }

    /** The graph with its weights in a form, some of them with other values. */
    public GraphWriter writer(GraphWriter.Weights weights, Map<String, INDArray> changed) {
        GraphWriter writer = new GraphWriter(weights);
        form.accept(new Transformers(writer, changed));
        return writer;
    }

    /** Writes the frozen graph. */
    public Path frozen(Path folder) {
        GraphDef graph = writer(GraphWriter.Weights.FROZEN, Map.of()).graph();
        try {
            return Files.write(folder.resolve(this + ".pb"), graph.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What TensorFlow computes. */
    public Map<String, INDArray> run(Map<String, INDArray> given, Map<String, INDArray> changed) {
        GraphDef graph = writer(GraphWriter.Weights.FROZEN, changed).graph();
        return TensorFlowRuntime.run(graph, given, outputs.toArray(new String[0]));
    }

    /** The slope of {@code sum(output * factors)} along one element of a weight, by TensorFlow's results at both sides. */
    public double difference(
            String weight, long[] place, Map<String, INDArray> given, String output, INDArray factors, double step) {
        GraphWriter base = writer(GraphWriter.Weights.FROZEN, Map.of());
        double[] sums = new double[2];
        for (int side = 0; side < 2; side++) {
            INDArray value = base.values().get(weight).dup();
            long[] at = place;
            if (value.rank() == 4) {
                long[] s = value.shape(); // imported as [out, in * height * width]
                at = new long[] {place[1] / s[1] % s[0], place[1] % s[1], place[1] / (s[0] * s[1]), place[0]};
            }
            value.putScalar(at, value.getDouble(at) + (side == 0 ? -step : step));
            sums[side] = run(given, Map.of(weight, value))
                    .get(output)
                    .castTo(org.nd4j.linalg.api.buffer.DataType.DOUBLE)
                    .mul(factors)
                    .sumNumber()
                    .doubleValue();
        }
        return (sums[1] - sums[0]) / (2 * step);
    }
}
