package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.fixture.OnnxFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import onnx.Onnx;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Adapters written beside the weights: ONNX Runtime computes what the adapted graph computes, for every kind of product. */
class OnnxAdapterWriterTest {
    @TempDir
    Path folder;

    static Stream<Arguments> fixturesAndMethods() {
        List<AdapterMethod> methods = List.of(Lora.rank(2), Sorsa.rank(2));
        return Stream.of(
                        "gpt2-conv1d-op13",
                        "gpt2-gemm-tied-op11",
                        "gpt2-gemm-tied-unfolded-op14",
                        "llama-op17",
                        "llama-tied-op14",
                        "bert-mlm-op17")
                .flatMap(name -> methods.stream().map(method -> Arguments.of(name, method)));
    }

    @ParameterizedTest
    @MethodSource("fixturesAndMethods")
    void onnx_runtime_computes_the_adapted_graph(String name, AdapterMethod method) {
        ImportedModel model = OnnxImporter.load(Fixture.named(name).onnx());
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(), model.modulePaths(), AdapterConfig.of(method).withTargets(TargetSelector.regex(".*")));
        for (String trainable : adapted.trainableNames()) {
            INDArray values = model.graph().getVariable(trainable).getArr();
            values.addi(Nd4j.randn(values.dataType(), values.shape()).muli(0.05));
        }
        Path target = folder.resolve("adapted.onnx");
        OnnxWriter.writeAdapted(model, adapted.updates(), target);

        Verification verification = OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(OnnxFiles.read(target).getGraph().getInitializerList())
                .extracting(Onnx.TensorProto::getName)
                .contains(adapted.sites().get(0).module() + ".adapter_down");
        assertThat(OnnxVerifier.verify(target, 1e-4, 1).passed()).isTrue();
    }
}
