package dev.samediff.adapters.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LenientEqualityTest {
    /** What the statements of the tests below have at hand. */
    private static final String EXAMPLE = """
            import static org.assertj.core.api.Assertions.assertThat;
            import static org.junit.jupiter.api.Assertions.*;
            import static dev.samediff.adapters.testing.Bits.assertThatBits;
            import java.util.*;
            import java.util.function.*;
            import java.util.stream.*;
            import org.nd4j.linalg.api.ndarray.INDArray;
            import org.nd4j.linalg.dataset.DataSet;
            class Example {
                record Pair(String name, INDArray array) {}
                record Nested(List<Pair> pairs) {}
                <T extends INDArray> void run(INDArray a, INDArray b, T t, Map<String, INDArray> map, List<INDArray> list,
                        INDArray[] many, Optional<INDArray> maybe, Pair pair, Nested nested, DataSet data,
                        dev.samediff.adapters.engine.Engine.Gradients gradients, float[] floats) {
            %s
                }
            }
            """;

    private static final int FIRST_LINE =
            (int) EXAMPLE.substring(0, EXAMPLE.indexOf("%s")).lines().count() + 1;

    /** Statements that must be found, and those that must not be. */
    private static final List<String> LENIENT = List.of(
            "assertThat(a).isEqualTo(b);",
            "assertThat(a).as(\"x\").isNotNull().isNotEqualTo(b);",
            "assertThat(t).isEqualTo(b);",
            "var v = a.add(1); assertThat(v).isIn(a, b);",
            "assertThat((Object) a).isEqualTo(b);",
            "assertThat((Object) a).isEqualTo((Object) b);",
            "assertThat(map).isEqualTo(Map.of());",
            "assertThat(map).containsEntry(\"x\", b);",
            "assertThat(map).containsExactlyInAnyOrderEntriesOf(map);",
            "assertThat(map.get(\"x\")).isEqualTo(b);",
            "assertThat(map.values()).contains(b);",
            "assertThat(list).isEqualTo(list);",
            "assertThat(list).containsExactly(a, b);",
            "assertThat(list).first().isEqualTo(a);",
            "assertThat(many).isEqualTo(many);",
            "assertThat(many).containsExactly(a, b);",
            "assertThat(maybe).contains(a);",
            "assertThat(maybe).hasValue(a);",
            "assertThat(pair).isEqualTo(pair);",
            "assertThat(List.of(pair)).containsExactly(pair);",
            "assertThat(nested).isNotEqualTo(null);",
            "assertThat(gradients).isEqualTo(gradients);",
            "assertThat(gradients.byName()).isEqualTo(map);",
            "assertThat(data).isEqualTo(data);",
            "assertThat(pair).extracting(Pair::array).isEqualTo(a);",
            "assertThat(pair).returns(a, Pair::array);",
            "assertThat(pair).usingRecursiveComparison().isEqualTo(nested);",
            "assertThat(list).allSatisfy(each -> assertThat(each).isEqualTo(a));",
            "assertThat(a.equals(b)).isTrue();",
            "assertThat(a.equalsWithEps(b, 0)).isTrue();",
            "assertThat(map.equals(map)).isTrue();",
            "assertThat(Objects.equals(a, b)).isTrue();",
            "assertThat(Arrays.equals(many, many)).isTrue();",
            "assertThat(list.contains(a)).isTrue();",
            "assertThat(list.indexOf(a)).isZero();",
            "assertThat(map.containsValue(a)).isTrue();",
            "assertThat(list.stream().anyMatch(a::equals)).isTrue();",
            "BiPredicate<INDArray, INDArray> same = Objects::equals;",
            "BiPredicate<INDArray, Object> same = INDArray::equals;",
            "assertThat(list.stream().distinct().count()).isEqualTo(1);",
            "assertEquals(a, b);",
            "assertArrayEquals(many, many);",
            "assertIterableEquals(list, list);");

    private static final List<String> FREE = List.of(
            "assertThatBits(a).isEqualTo(b);",
            "assertThatBits(map).isNotEqualTo(map);",
            "assertThatBits(gradients).isEqualTo(gradients);",
            "assertThat(a).isSameAs(b);",
            "assertThat(a).isNotNull();",
            "assertThat(a.shape()).isEqualTo(b.shape());",
            "assertThat(a.toFloatVector()).isEqualTo(floats);",
            "assertThat(a.dataType()).isEqualTo(b.dataType());",
            "assertThat(a.sumNumber()).isEqualTo(1);",
            "assertThat(map).containsOnlyKeys(\"x\").containsKey(\"x\").hasSize(1);",
            "assertThat(map.keySet()).isEqualTo(Set.of());",
            "assertThat(list).hasSameSizeAs(list).isNotEmpty();",
            "assertThat(list).extracting(INDArray::rank).containsExactly(1);",
            "assertThat(pair).extracting(Pair::name).isEqualTo(\"x\");",
            "assertThat(maybe).containsSame(a);",
            "assertThat(pair.name().equals(\"x\")).isTrue();",
            "assertThat(map.containsKey(\"x\")).isTrue();",
            "assertThat(Arrays.equals(floats, floats)).isTrue();",
            "assertEquals(1, a.rank());");

    @Test
    void a_comparison_that_tolerates_differences_is_found() throws IOException {
        List<String> lines =
                find(LENIENT).stream().map(each -> each.split(" ")[0]).toList();
        for (int i = 0; i < LENIENT.size(); i++) {
            assertThat(lines).as(LENIENT.get(i)).containsOnlyOnce("Example.java:" + (FIRST_LINE + i));
        }
        assertThat(lines).hasSameSizeAs(LENIENT);
    }

    @Test
    void what_compares_bits_numbers_keys_or_identity_is_free() throws IOException {
        assertThat(find(FREE)).isEmpty();
    }

    @Test
    void sources_that_do_not_compile_are_no_pass() {
        assertThatIllegalStateException()
                .isThrownBy(() -> find(List.of("assertThat(c).isEqualTo(b);")))
                .withMessageContaining("do not compile")
                .withMessageContaining("Example.java:" + FIRST_LINE);
    }

    @Test
    void a_folder_without_sources_is_no_pass(@TempDir Path folder) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LenientEquality.in(folder))
                .withMessageContaining(folder.toString());
    }

    private static List<String> find(List<String> statements) throws IOException {
        String blocks = statements.stream().map(each -> "{ " + each + " }").collect(Collectors.joining("\n"));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            return LenientEquality.in(compiler, manager, List.of(new Source(EXAMPLE.formatted(blocks))));
        }
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///Example.java"), JavaFileObject.Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
