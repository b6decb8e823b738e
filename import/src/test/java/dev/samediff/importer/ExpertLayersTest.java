package dev.samediff.importer;

import static dev.samediff.importer.WeightsBehindNodesTest.reals;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Experts in one tensor, in every way that files multiply by them: each expert is adapted, and what comes of it is written back,
 * merged and beside the weight.
 */
class ExpertLayersTest {
    private static final String WEIGHT = "block.experts.up_proj";

    @TempDir
    Path folder;

    private static TinyModel of(DataType type, long[] x, long[] weight) {
        return new TinyModel(17).input("x", type, x).initializer(WEIGHT, reals(weight));
    }

    private static TinyModel matMul(long[] x, long[] y) {
        return of(DataType.FLOAT, x, new long[] {3, 4, 6})
                .named("/block/experts/MatMul", "MatMul", "x " + WEIGHT, "y")
                .output("y", DataType.FLOAT, y);
    }

    private static TinyModel einsum(String equation, long[] x, long[] weight, long[] y) {
        return of(DataType.FLOAT, x, weight)
                .named("/block/experts/Einsum", "Einsum", "x " + WEIGHT, "y", "equation", equation)
                .output("y", DataType.FLOAT, y);
    }

    private static long[] dims(long... dims) {
        return dims;
    }

    static Map<String, TinyModel> kinds() {
        Map<String, TinyModel> kinds = new LinkedHashMap<>();
        long[] inOut = {3, 4, 6};
        long[] outIn = {3, 6, 4};
        kinds.put("tokens of each expert", matMul(dims(3, -1, 4), dims(3, -1, 6)));
        kinds.put("the same tokens for all, as a matrix", matMul(dims(-1, 4), dims(3, -1, 6)));
        kinds.put("the same tokens for all", matMul(dims(1, -1, 4), dims(3, -1, 6)));
        kinds.put("texts, the same for all", matMul(dims(-1, 1, -2, 4), dims(-1, 3, -2, 6)));
        kinds.put("texts of each expert", matMul(dims(-1, 3, -2, 4), dims(-1, 3, -2, 6)));
        kinds.put("two axes of texts", matMul(dims(-1, 2, 3, -2, 4), dims(-1, 2, 3, -2, 6)));
        kinds.put("one token", matMul(dims(3, 1, 4), dims(3, 1, 6)));
        kinds.put("eti,eio->eto", einsum("eti,eio->eto", dims(3, -1, 4), inOut, dims(3, -1, 6)));
        kinds.put("ti,eio->eto", einsum("ti,eio->eto", dims(-1, 4), inOut, dims(3, -1, 6)));
        kinds.put("ti,eio->teo", einsum("ti,eio->teo", dims(-1, 4), inOut, dims(-1, 3, 6)));
        kinds.put("bti,eio->beto", einsum("bti, eio -> beto", dims(-1, -2, 4), inOut, dims(-1, 3, -2, 6)));
        kinds.put("btei,eio->bteo", einsum("btei,eio->bteo", dims(-1, -2, 3, 4), inOut, dims(-1, -2, 3, 6)));
        kinds.put("eti,eoi->eto", einsum("eti,eoi->eto", dims(3, -1, 4), outIn, dims(3, -1, 6)));
        kinds.put("ebti,eoi->beto", einsum("ebti,eoi->beto", dims(3, -1, -2, 4), outIn, dims(-1, 3, -2, 6)));
        kinds.put(
                "eio,eti->eto",
                of(DataType.FLOAT, dims(3, -1, 4), inOut)
                        .named("/block/experts/Einsum", "Einsum", WEIGHT + " x", "y", "equation", "eio,eti->eto")
                        .output("y", DataType.FLOAT, 3, -1, 6));
        kinds.put(
                "behind a Transpose",
                of(DataType.FLOAT, dims(3, -1, 4), outIn)
                        .node("Transpose", WEIGHT, "turned", "perm", new long[] {0, 2, 1})
                        .named("/block/experts/MatMul", "MatMul", "x turned", "y")
                        .output("y", DataType.FLOAT, 3, -1, 6));
        kinds.put(
                "one tensor for each, joined",
                new TinyModel(17)
                        .input("x", DataType.FLOAT, 3, -1, 4)
                        .initializer("block.experts.0.weight", reals(1, 4, 6))
                        .initializer("block.experts.1.weight", reals(1, 4, 6))
                        .initializer("block.experts.2.weight", reals(1, 4, 6))
                        .node(
                                "Concat",
                                "block.experts.0.weight block.experts.1.weight block.experts.2.weight",
                                "joined",
                                "axis",
                                0)
                        .named("/block/experts/MatMul", "MatMul", "x joined", "y")
                        .output("y", DataType.FLOAT, 3, -1, 6));
        kinds.put(
                "one after the other",
                of(DataType.FLOAT, dims(3, -1, 4), inOut)
                        .initializer("block.experts.down_proj", reals(3, 6, 4))
                        .node("MatMul", "x " + WEIGHT, "h")
                        .node("Tanh", "h", "a")
                        .node("MatMul", "a block.experts.down_proj", "y")
                        .output("y", DataType.FLOAT, 3, -1, 4));
        return kinds;
    }

    private static AdaptedModel inject(ImportedModel model, AdapterMethod method) {
        return AdaptedModel.inject(
                model.graph(), model.modulePaths(), AdapterConfig.of(method).withTargets(TargetSelector.regex(".*")));
    }

    private static AdaptedModel trained(ImportedModel model, AdapterMethod method) {
        AdaptedModel adapted = inject(model, method);
        for (String trainable : adapted.trainableNames()) {
            INDArray values = model.graph().getVariable(trainable).getArr();
            values.addi(
                    Nd4j.linspace(DataType.FLOAT, -0.3, 0.11, values.length()).reshape(values.shape()));
        }
        return adapted;
    }

    private Stream<DynamicTest> each(Check check) {
        List<AdapterMethod> methods = List.of(Lora.rank(2), OLora.rank(1), Pissa.rank(2), Sorsa.rank(2));
        List<String> names = List.copyOf(kinds().keySet());
        return kinds().entrySet().stream().map(kind -> {
            AdapterMethod method = methods.get(names.indexOf(kind.getKey()) % methods.size());
            return DynamicTest.dynamicTest(kind.getKey() + ", " + method.name(), () -> {
                Path file = kind.getValue().write(folder);
                check.of(file, OnnxImporter.load(file), method);
            });
        });
    }

    private interface Check {
        void of(Path file, ImportedModel model, AdapterMethod method) throws IOException;
    }

    @TestFactory
    Stream<DynamicTest> they_are_found_and_compute_what_onnx_runtime_computes() {
        return each((file, model, method) -> {
            assertThat(model.report().notAdapted()).isEmpty();
            assertThat(model.linearLayers()).isEmpty();
            assertThat(model.experts())
                    .isNotEmpty()
                    .allSatisfy(layer -> assertThat(layer.experts()).isEqualTo(3));
            assertThat(model.experts().get(0).in()).isEqualTo(4);
            assertThat(model.experts().get(0).out()).isEqualTo(6);
            assertThat(OnnxImporter.inspect(file).experts()).isEqualTo(model.experts());
            assertThat(inject(model, method).sites()).hasSameSizeAs(model.experts());
            Verification verification = OnnxVerifier.verify(file, VerificationPlan.quick(1e-5, 1));
            assertThat(verification.passed()).as(verification.toString()).isTrue();
        });
    }

    @TestFactory
    Stream<DynamicTest> merged_and_written_beside_them_onnx_runtime_computes_the_adapted_graph() {
        return each((file, model, method) -> {
            AdaptedModel adapted = trained(model, method);
            Path merged = Files.createTempFile(folder, "merged", ".onnx");
            OnnxWriter.writeMerged(model, adapted.mergedWeights(), merged);
            Path beside = Files.createTempFile(folder, "beside", ".onnx");
            OnnxWriter.writeAdapted(model, adapted.updates(), beside);
            for (Path written : List.of(merged, beside)) {
                Verification verification = OnnxVerifier.verify(written, model, InputSizes.SAMPLES, 1e-4, 1);
                assertThat(verification.passed()).as(verification.toString()).isTrue();
                assertThat(OnnxVerifier.verify(file, model, InputSizes.SAMPLES, 1e-4, 1)
                                .passed())
                        .as("it changed something")
                        .isFalse();
            }
            assertThat(OnnxImporter.load(merged).experts()).hasSameSizeAs(model.experts());
        });
    }

    @TestFactory
    Stream<DynamicTest> both_engines_train_them_alike() {
        return each((file, model, method) -> {
            AdaptedModel adapted = trained(model, method);
            SDVariable output = model.graph().getVariable(model.outputs().get(0).variable());
            output.mul("square", output).mean("loss");
            RandomInputs inputs = new RandomInputs(model.model().getGraph());
            VerificationSizes sizes = new VerificationSizes(model, inputs, VerificationPlan.quick(1e-4, 1));
            Map<String, INDArray> given = inputs.draw(sizes.chosen().get(0), new Random(3));
            try (Engine compiled =
                            Engines.open(model.graph(), "loss", adapted.trainableNames(), EngineOptions.defaults());
                    Engine reference =
                            Engines.open(model.graph(), "loss", adapted.trainableNames(), EngineOptions.reference())) {
                Engine.Gradients actual = compiled.gradients(given);
                Engine.Gradients expected = reference.gradients(given);
                assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-4 * expected.loss()));
                expected.byName()
                        .forEach((name, gradient) -> assertThat(actual.byName()
                                        .get(name)
                                        .sub(gradient)
                                        .amaxNumber()
                                        .doubleValue())
                                .as(name)
                                .isLessThan(1e-4 * (1 + gradient.amaxNumber().doubleValue())));
            }
        });
    }

    @Test
    void a_parameter_keeps_its_name_and_one_without_a_name_is_called_by_its_node() {
        ImportedModel named =
                OnnxImporter.load(kinds().get("tokens of each expert").write(folder));
        assertThat(named.modulePaths()).containsExactly(Map.entry(WEIGHT, WEIGHT));
        ImportedModel lost = OnnxImporter.load(new TinyModel(17)
                .input("x", DataType.FLOAT, 3, -1, 4)
                .initializer("onnx::MatMul_17", reals(3, 4, 6))
                .named("/block/experts/MatMul", "MatMul", "x onnx::MatMul_17", "y")
                .output("y", DataType.FLOAT, 3, -1, 6)
                .write(folder));
        assertThat(lost.modulePaths()).containsExactly(Map.entry("block.experts.weight", "block.experts"));
    }

    /** What is read otherwise too cannot change for the products alone. */
    @Test
    void experts_that_something_else_reads_are_named_with_the_reason() {
        TinyModel model = of(DataType.FLOAT, dims(3, -1, 4), dims(3, 4, 6))
                .node("MatMul", "x " + WEIGHT, "h")
                .initializer("axes", HostTensor.vector(0, 1, 2))
                .node("ReduceSum", WEIGHT + " axes", "sum", "keepdims", 0)
                .node("Add", "h sum", "y")
                .output("y", DataType.FLOAT, 3, -1, 6);
        Path file = model.write(folder);
        assertThat(OnnxImporter.inspect(file).experts()).isEmpty();
        assertThat(OnnxImporter.inspect(file).notAdapted())
                .singleElement()
                .satisfies(weight -> assertThat(weight.reason()).contains("nothing reads but products"));
        assertThat(OnnxVerifier.verify(file, VerificationPlan.quick(1e-5, 1)).passed())
                .isTrue();
    }
}
