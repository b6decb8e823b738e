package dev.samediff.adapters.method;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterMethodProvider;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.Factorization;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.LayerUse;
import dev.samediff.adapters.SiteShape;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.linalg.Decompositions;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A method of the user's own is named, saved and loaded as the library's are. */
class ProvidedMethodsTest {
    @TempDir
    Path folder;

    /** A user's method: LoRA whose weight change counts so many times. */
    record Strong(Lora lora, double strength) implements AdapterMethod {
        @Override
        public String name() {
            return "strong";
        }

        @Override
        public int rank() {
            return lora.rank();
        }

        @Override
        public OptionalDouble alpha() {
            return lora.alpha();
        }

        @Override
        public double scaling(int rank, double alpha) {
            return strength * lora.scaling(rank, alpha);
        }

        @Override
        public Map<String, String> settings() {
            return Map.of("strength", Double.toString(strength));
        }

        @Override
        public AdapterMethod withRank(int rank) {
            return new Strong((Lora) lora.withRank(rank), strength);
        }

        @Override
        public Factorization factorize(INDArray weight, SiteShape site, Decompositions linalg, long seed) {
            return lora.factorize(weight, site, linalg, seed);
        }

        @Override
        public SDVariable adapt(LayerUse use, SDVariable scaling, Map<String, SDVariable> trainables, String prefix) {
            return lora.adapt(use, scaling, trainables, prefix);
        }

        @Override
        public INDArray delta(Map<String, INDArray> trainables, double scaling) {
            return lora.delta(trainables, scaling);
        }

        @Override
        public Map<String, INDArray> deltaGradients(
                Map<String, INDArray> trainables, double scaling, INDArray ofDelta) {
            return lora.deltaGradients(trainables, scaling, ofDelta);
        }

        @Override
        public Map<String, INDArray> asLora(Map<String, INDArray> trainables) {
            return lora.asLora(trainables);
        }
    }

    /** Makes it. */
    public static class StrongProvider implements AdapterMethodProvider {
        @Override
        public String name() {
            return "strong";
        }

        @Override
        public AdapterMethod create(int rank, OptionalDouble alpha, Map<String, String> settings) {
            return new Strong(
                    (Lora) AdapterMethods.named("lora", rank, alpha, Map.of()),
                    Double.parseDouble(settings.getOrDefault("strength", "2")));
        }
    }

    /** Another provider of the same name. */
    public static class SecondProvider extends StrongProvider {}

    /** One that takes a name of the library. */
    public static class LoraProvider extends StrongProvider {
        @Override
        public String name() {
            return "lora";
        }
    }

    /** One whose method is called otherwise. */
    public static class OtherProvider extends StrongProvider {
        @Override
        public String name() {
            return "other";
        }
    }

    /** One with a name that no file could hold. */
    public static class LoudProvider extends StrongProvider {
        @Override
        public String name() {
            return "Strong One";
        }
    }

    /** Runs with these providers on the class path. */
    private <T> T with(Callable<T> work, String... providers) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(
                services.resolve(AdapterMethodProvider.class.getName()),
                Stream.of(providers).map(name -> name + "\n").collect(Collectors.joining()));
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder.toUri().toURL()}, before)) {
            Thread.currentThread().setContextClassLoader(loader);
            return work.call();
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    private static SameDiff model() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 4);
        x.mmul(
                "y",
                graph.constant(
                        "layer.weight",
                        Nd4j.linspace(DataType.FLOAT, 0.1, 0.1, 12).reshape(4, 3)));
        return graph;
    }

    @Test
    void it_is_found_by_name_and_a_saved_adapter_of_it_is_loaded_again() throws Exception {
        Path saved = folder.resolve("adapter");
        AdapterState state = with(
                () -> {
                    assertThat(AdapterMethods.names())
                            .startsWith("lora", "olora")
                            .endsWith("strong");
                    AdapterMethod method =
                            AdapterMethods.named("Strong", 2, OptionalDouble.empty(), Map.of("strength", "3"));
                    AdaptedModel adapted = AdaptedModel.inject(model(), AdapterConfig.of(method));
                    assertThat(adapted.sites())
                            .singleElement()
                            .satisfies(site -> assertThat(site.scaling()).isEqualTo(3));
                    AdapterFolder.save(adapted.state(), saved);
                    AdapterState loaded = AdapterFolder.load(saved);
                    assertThat(loaded.config().method()).isEqualTo(method);
                    AdaptedModel again = AdaptedModel.inject(model(), Map.of(), loaded);
                    assertThatBits(again.trainables()).isEqualTo(adapted.trainables());
                    return loaded;
                },
                StrongProvider.class.getName());
        assertThat(state.config().method().name()).isEqualTo("strong");
        assertThatThrownBy(() -> AdapterFolder.load(saved))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("there is no adapter method `strong`");
    }

    @Test
    void names_that_clash_are_refused_with_a_sentence() throws IOException {
        assertThatThrownBy(() ->
                        with(AdapterMethods::names, StrongProvider.class.getName(), SecondProvider.class.getName()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("StrongProvider and ")
                .hasMessageContaining("SecondProvider are both called `strong`");
        assertThatThrownBy(() -> with(() -> AdapterMethods.named("sorsa", 2), LoraProvider.class.getName()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is called `lora`, as one of this library");
        assertThatThrownBy(() -> with(() -> AdapterMethods.named("other", 2), OtherProvider.class.getName()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`other` and makes one that is called `strong`");
        assertThatThrownBy(() -> with(AdapterMethods::names, LoudProvider.class.getName()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lower-case letters");
        assertThatThrownBy(() -> with(AdapterMethods::names, "no.such.Provider"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be loaded");
    }
}
