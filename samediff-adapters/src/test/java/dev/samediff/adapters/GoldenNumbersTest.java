package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.OrthonormalPenalty.Form;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.AdamW;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.autodiff.samediff.api.OutAndGrad;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.LoggerFactory;

/**
 * Every method against numbers that were not computed by this library: PEFT's and the SORSA authors' code (the optional
 * shared collection), and a numpy float64 program beside this test (src/test/python/make_golden.py; its numbers are
 * committed). Start, gradients, 20 steps of AdamW, merging, conversion to plain LoRA, regulariser.
 */
class GoldenNumbersTest {
    private static final double START = 2e-5;
    private static final double GRADIENT = 1e-4;
    private static final double TRAJECTORY = 1e-3;
    private static final Map<String, Double> WORST = new TreeMap<>();

    @TestFactory
    Stream<DynamicTest> numpy_float64() throws IOException {
        return cases(Path.of("src/test/resources/golden"), DataType.FLOAT);
    }

    @TestFactory
    Stream<DynamicTest> reference_implementations() throws IOException {
        return cases(SharedFiles.require("golden"), DataType.FLOAT);
    }

    @AfterAll
    static void report() {
        WORST.forEach((what, error) ->
                LoggerFactory.getLogger(GoldenNumbersTest.class).info(String.format("%-40s %.1e", what, error)));
    }

    private static Stream<DynamicTest> cases(Path root, DataType type) throws IOException {
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .map(index ->
                        DynamicTest.dynamicTest(index.get("id").asText(), () -> new Case(root, index, type).check()));
    }

    private record Case(Path root, JsonNode index, DataType type) {
        void check() throws IOException {
            String method = index.get("method").asText();
            if (method.equals("sorsarepo_pissa")) {
                starts(1 / scaling()); // the authors' PiSSA does not divide the singular values by s
                return;
            }
            if (!method.equals("lora") && !method.startsWith("pissa_niter")) {
                starts(1); // the others are random at the start
            }
            if (method.equals("sorsa")) {
                sorsa();
            } else {
                lora();
            }
        }

        private double scaling() {
            return index.get("scaling").asDouble();
        }

        private AdapterMethod method() {
            int rank = index.get("r").asInt();
            boolean stabilized = index.path("rslora").asBoolean(false);
            double alpha = index.get("alpha").asDouble(rank);
            return switch (index.get("method").asText()) {
                case "lora" -> {
                    Lora lora = Lora.rank(rank).withAlpha(alpha);
                    yield stabilized ? lora.withRankStabilizedScaling() : lora;
                }
                case "olora" -> {
                    OLora olora = OLora.rank(rank).withAlpha(alpha);
                    yield stabilized ? olora.withRankStabilizedScaling() : olora;
                }
                case "sorsa" ->
                    index.get("alpha").isNull()
                            ? Sorsa.rank(rank)
                            : Sorsa.rank(rank).withAlpha(alpha);
                default -> {
                    Pissa pissa = Pissa.rank(rank).withAlpha(alpha);
                    yield stabilized ? pissa.withRankStabilizedScaling() : pissa;
                }
            };
        }

        private String[] shortNames() {
            return index.get("method").asText().equals("sorsa")
                    ? new String[] {"sorsa_A", "sorsa_S", "sorsa_B"}
                    : new String[] {"lora_A", "lora_B"};
        }

        /** What this library's own factorisation gives; {@code ratio} is its delta over the golden one. */
        private void starts(double ratio) throws IOException {
            for (Orientation orientation : Orientation.values()) {
                GoldenLayer layer = new GoldenLayer(root, index, orientation, type);
                AdaptedModel model = AdaptedModel.inject(layer.graph(), AdapterConfig.of(method()));
                AdaptedSite site = model.sites().get(0);
                close("scaling", START, site.scaling(), scaling());
                INDArray delta = method().delta(model.state().sites().get(0).start(), site.scaling());
                close(
                        "start delta",
                        START,
                        delta.transpose(),
                        layer.golden("delta0").mul(ratio));
                INDArray w = layer.golden("W_res").add(layer.golden("delta0"));
                INDArray residual = w.sub(layer.golden("delta0").mul(ratio));
                closeTo("start residual", START, layer.weight(orientation), residual, w);
                INDArray output = layer.golden("out0");
                if (index.get("method").asText().equals("sorsarepo_pissa")) {
                    output = output.subRowVector(layer.bias()); // the authors' PiSSA layer adds the bias twice
                }
                close("start output", START, layer.output(), output);
                if (layer.has("S0")) {
                    close("start S", START, tensor(model, "sorsa_S"), layer.golden("S0"));
                }
            }
        }

        private void lora() throws IOException {
            GoldenLayer layer = new GoldenLayer(root, index, Orientation.OUT_IN, type);
            AdaptedModel model = layer.injectGolden(method(), scaling(), shortNames());
            close("output", START, layer.output(), layer.golden("out0"));
            gradients(layer, model, "0", "gA0", "gB0");
            layer.set(model, "p");
            close("output", START, layer.output(), layer.golden("outp"));
            gradients(layer, model, "p", "gAp", "gBp");
            layer.set(model, "0");
            double[] losses = train(layer, model, null, 0, false);
            trajectory(layer, model, losses, "", "out20");
            if (layer.has("A_conv")) {
                AdapterState.PlainLora plain = model.state().toPlainLora().get(0);
                close("plain LoRA A", TRAJECTORY, plain.a().transpose(), layer.golden("A_conv"));
                close("plain LoRA B", TRAJECTORY, plain.b().transpose(), layer.golden("B_conv"));
                close("scaling", START, plain.alpha() / plain.rank(), scaling());
            }
        }

        private void sorsa() throws IOException {
            GoldenLayer layer = new GoldenLayer(root, index, Orientation.IN_OUT, type);
            double gamma = index.get("gamma").asDouble();
            Sorsa method = ((Sorsa) method()).withGamma(gamma);
            AdaptedModel model = layer.injectGolden(method, scaling(), shortNames());
            gradients(layer, model, "0", "gA0", "gS0", "gB0");
            layer.set(model, "p");
            close("output", START, layer.output(), layer.golden("outp"));
            gradients(layer, model, "p", "gAp", "gSp", "gBp");
            regularizers(layer, model);

            layer.set(model, "0");
            trajectory(layer, model, train(layer, model, null, 0, false), "noreg_", "noreg_out20");
            model.peakLearningRate(gamma / index.get("reg_coef").asDouble());
            layer.set(model, "0");
            trajectory(layer, model, train(layer, model, null, 0, false), "sqreg_", "sqreg_out20");
            layer.set(model, "p");
            trajectory(layer, model, train(layer, model, null, 0, false), "sqreg_p_", "sqreg_p_out20");

            layer.graph().setLossVariables("loss"); // without the penalty: it is added behind the clipping
            layer.set(model, "p");
            Penalty repo = new OrthonormalPenalty(Form.REPO, 1, "sorsa_A", "sorsa_B");
            double coefficient = index.get("reg_coef").asDouble();
            trajectory(layer, model, train(layer, model, repo, coefficient, true), "repo_p_", "repo_p_out20");
        }

        private void regularizers(GoldenLayer layer, AdaptedModel model) {
            Map<Form, String> keys = Map.of(Form.SUMSQ, "sum_sq_fro", Form.FRO, "sum_fro", Form.REPO, "repo_mean_fro");
            Map<Form, String> short_ = Map.of(Form.SUMSQ, "sq", Form.FRO, "fro", Form.REPO, "repo");
            List<Map<String, INDArray>> sites =
                    List.of(model.state().sites().get(0).tensors());
            keys.forEach((form, key) -> {
                Penalty.Value value = new OrthonormalPenalty(form, 1, "sorsa_A", "sorsa_B").evaluate(sites);
                close(
                        "regulariser",
                        GRADIENT,
                        value.value(),
                        index.get("reg").get(key).asDouble());
                for (String side : List.of("A", "B")) {
                    close(
                            "regulariser gradient",
                            GRADIENT,
                            Objects.requireNonNull(value.gradients().get(0).get("sorsa_" + side))
                                    .transpose(),
                            layer.golden("reg_" + short_.get(form) + "_g" + side));
                }
            });
        }

        private void gradients(GoldenLayer layer, AdaptedModel model, String point, String... names) {
            OutAndGrad result = layer.outputsAndGradients(model);
            for (String name : names) {
                String letter = name.substring(1, 2);
                String variable = model.trainableNames().stream()
                        .filter(v -> v.contains("_" + letter + "."))
                        .findFirst()
                        .orElseThrow();
                INDArray gradient = Objects.requireNonNull(result.getGradients().get(variable));
                close("gradient", GRADIENT, gradient, layer.inOut(name));
            }
            double loss =
                    Objects.requireNonNull(result.getOutputs().get("loss")).getDouble(0);
            close("loss", START, loss, index.get("loss" + point).asDouble());
        }

        private double[] train(GoldenLayer layer, AdaptedModel model, Penalty extra, double coefficient, boolean clip) {
            AdamW updater = new AdamW(0.01, 0.01);
            Map<String, INDArray> parameters = new LinkedHashMap<>();
            model.trainableNames()
                    .forEach(name ->
                            parameters.put(name, layer.graph().getVariable(name).getArr()));
            double[] losses = new double[21];
            for (int step = 0; step < 20; step++) {
                OutAndGrad result = layer.outputsAndGradients(model);
                losses[step] = loss(result);
                Map<String, INDArray> gradients = new LinkedHashMap<>(result.getGradients());
                double squares = gradients.values().stream()
                        .mapToDouble(g -> Math.pow(g.norm2Number().doubleValue(), 2))
                        .sum();
                double factor = clip ? Math.min(1, 1 / (Math.sqrt(squares) + 1e-6)) : 1;
                gradients.replaceAll((name, g) -> g.mul(factor));
                if (extra != null) {
                    Map<String, String> names = model.sites().get(0).trainables();
                    extra.evaluate(List.of(model.state().sites().get(0).tensors()))
                            .gradients()
                            .get(0)
                            .forEach((name, g) -> gradients.merge(
                                    Objects.requireNonNull(names.get(name)), g.mul(coefficient), INDArray::add));
                }
                updater.step(parameters, gradients);
            }
            losses[20] = loss(layer.outputsAndGradients(model));
            return losses;
        }

        private static double loss(OutAndGrad result) {
            return Objects.requireNonNull(result.getOutputs().get("loss")).getDouble(0);
        }

        private void trajectory(GoldenLayer layer, AdaptedModel model, double[] losses, String prefix, String out) {
            for (int i = 0; i < losses.length; i++) {
                close(
                        "20 steps: losses",
                        TRAJECTORY,
                        losses[i],
                        layer.golden(prefix + "losses").getDouble(i));
            }
            AdapterState.Site site = model.state().sites().get(0);
            INDArray delta = method().delta(site.tensors(), site.scaling()).transpose();
            close("20 steps: delta", TRAJECTORY, delta, layer.golden(prefix + "delta20"));
            close("20 steps: output", TRAJECTORY, layer.output(), layer.golden(out));
            INDArray merged = model.mergedWeights().get(GoldenLayer.MODULE + ".weight");
            INDArray weight =
                    model.sites().get(0).layer().orientation().asInOut(merged).transpose();
            close("20 steps: merged", TRAJECTORY, weight, layer.golden(prefix + "merged20"));
            model.merge();
            close("20 steps: output merged", TRAJECTORY, layer.output(), layer.golden(out));
            model.unmerge();
        }

        private static INDArray tensor(AdaptedModel model, String shortName) {
            return Objects.requireNonNull(model.state().sites().get(0).tensors().get(shortName));
        }

        private void close(String what, double tolerance, double actual, double expected) {
            note(what, tolerance, Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-3));
        }

        private void close(String what, double tolerance, INDArray actual, INDArray expected) {
            closeTo(what, tolerance, actual, expected, expected);
        }

        /** Largest difference relative to the largest entry of {@code scale}. */
        private void closeTo(String what, double tolerance, INDArray actual, INDArray expected, INDArray scale) {
            double difference = actual.castTo(DataType.DOUBLE)
                    .sub(expected.castTo(DataType.DOUBLE))
                    .amaxNumber()
                    .doubleValue();
            note(what, tolerance, difference / Math.max(scale.amaxNumber().doubleValue(), 1e-6));
        }

        private void note(String what, double tolerance, double error) {
            String source = root.toString().startsWith("src") ? "numpy " : "reference ";
            WORST.merge(source + index.get("method").asText() + " " + what, error, Math::max);
            assertThat(error).as("%s: %s", index.get("id").asText(), what).isLessThan(tolerance);
        }
    }
}
