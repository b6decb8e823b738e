package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.testing.EveryEngine;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** What cannot be compiled is said once and not tried in every step; what is wrong is not hidden behind the reference engine. */
class FallbackTest {
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(CompiledEngine.class.getPackageName());

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void stop() {
        logger.detachAppender(log);
    }

    private List<String> warnings() {
        return log.list.stream()
                .filter(event -> event.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    /** A graph whose shapes depend on the data: the sizes of a reshape are a placeholder. */
    private static SameDiff byData() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 4);
        SDVariable scaled = x.mul("scaled", graph.constant("factor", Nd4j.scalar(2f)));
        graph.reshape("y", scaled, graph.placeHolder("sizes", DataType.LONG, 2));
        return graph;
    }

    private static Map<String, INDArray> inputs(int rows) {
        return Map.of("x", Nd4j.ones(DataType.FLOAT, rows, 4), "sizes", Nd4j.createFromArray(2L, 2L * rows));
    }

    @Test
    void a_reason_is_said_once_for_each_key_and_not_found_again_in_every_call() {
        try (CompiledEngine engine = new CompiledEngine(byData(), "", List.of(), EngineOptions.defaults())) {
            for (int call = 0; call < 3; call++) {
                assertThat(engine.outputs(inputs(2), List.of("y")).get("y").shape())
                        .containsExactly(2, 4);
                assertThat(engine.fallback())
                        .hasValueSatisfying(why -> assertThat(why).contains("`y`", "reshape"));
            }
            assertThat(warnings()).hasSize(1).first().asString().contains("[y]", "`y`", "reshape", "data");
            engine.outputs(inputs(3), List.of("y"));
            engine.outputs(inputs(2), List.of("y"));
            engine.outputs(inputs(3), List.of("y"));
            assertThat(warnings()).hasSize(2);
            engine.outputs(inputs(2), List.of("scaled"));
            assertThat(engine.fallback()).isEmpty();
            engine.outputs(inputs(2), List.of("y"));
            assertThat(engine.fallback()).isPresent();
            assertThat(warnings()).hasSize(2);
        }
    }

    @Test
    void a_reason_is_forgotten_when_the_graph_or_a_constant_has_changed() {
        SameDiff graph = byData();
        try (CompiledEngine engine = new CompiledEngine(graph, "", List.of(), EngineOptions.defaults())) {
            engine.outputs(inputs(2), List.of("y"));
            graph.getVariable("factor").getArr().assign(3);
            assertThat(engine.outputs(inputs(2), List.of("y")).get("y").getFloat(0))
                    .isEqualTo(3);
            assertThat(warnings()).hasSize(2);
            graph.math.tanh("more", graph.getVariable("x"));
            engine.outputs(inputs(2), List.of("y"));
            assertThat(warnings()).hasSize(3);
            engine.outputs(inputs(2), List.of("y"));
            assertThat(warnings()).hasSize(3);
        }
    }

    @Test
    void tensors_of_more_axes_than_plans_have_are_left_to_samediff_by_name() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 2, 2, 2);
        SDVariable seven = graph.reshape("seven", x, -1, 2, 1, 2, 1, 2, 1);
        graph.math.tanh("back", graph.reshape(seven.mul(2), -1, 8));
        Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.FLOAT, 3, 2, 2, 2));
        compiledAs(graph, "back", inputs, "seven", "7 axes");
    }

    @Test
    void an_op_that_samediff_cannot_copy_is_refused_by_name_where_it_is_trained() {
        SameDiff graph = SameDiff.create();
        SDVariable w = graph.var("w", Nd4j.rand(DataType.FLOAT, 2, 3));
        graph.nn.logSoftmax("y", w, 1);
        graph.getVariable("y").mul(w).sum().rename("loss");
        try (CompiledEngine engine = new CompiledEngine(graph, "loss", List.of("w"), EngineOptions.defaults())) {
            assertThatThrownBy(() -> engine.gradients(Map.of()))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("SameDiff cannot copy the op `log_softmax`");
            assertThat(engine.outputs(Map.of(), List.of("y")).get("y").shape()).containsExactly(2, 3);
        }
    }

    @Test
    void placeholders_of_more_axes_than_plans_have_are_left_to_samediff_by_name() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, 1, 2, 1, 2, 1, 2, 1);
        graph.math.tanh("y", x);
        compiledAs(graph, "y", Map.of("x", Nd4j.rand(DataType.FLOAT, 1, 2, 1, 2, 1, 2, 1)), "`x`", "7 axes");
    }

    private static void compiledAs(SameDiff graph, String output, Map<String, INDArray> inputs, String... reason) {
        try (CompiledEngine engine = new CompiledEngine(graph, "", List.of(), EngineOptions.defaults());
                Engine reference = new ReferenceEngine(graph, "", List.of())) {
            INDArray actual = engine.outputs(inputs, List.of(output)).get(output);
            INDArray expected = reference.outputs(inputs, List.of(output)).get(output);
            assertThat(actual.toStringFull()).isEqualTo(expected.toStringFull());
            if (reason.length == 0) {
                assertThat(engine.fallback()).isEmpty();
            } else {
                assertThat(engine.fallback())
                        .hasValueSatisfying(why -> assertThat(why).contains(reason));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "DOUBLE", "HALF", "BFLOAT16", "LONG", "INT", "SHORT", "BYTE", "UBYTE", "BOOL"})
    void elements_of_every_type_move_in_plans(DataType type) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", type, -1, 3, 4);
        graph.reshape("y", x.permute(2, 0, 1), 4, -1);
        INDArray input = Nd4j.arange(24).reshape(2, 3, 4).castTo(type);
        compiledAs(graph, "y", Map.of("x", input));
    }

    @Test
    void double_graphs_compute_outputs_in_plans_and_train_by_samediff() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.DOUBLE, -1, 3);
        x.mmul("y", graph.var("w", Nd4j.rand(DataType.DOUBLE, 3, 2))).mean("loss");
        Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.DOUBLE, 4, 3));
        compiledAs(graph, "y", inputs);
        try (CompiledEngine engine = new CompiledEngine(graph, "loss", List.of("w"), EngineOptions.defaults())) {
            assertThat(engine.gradients(inputs).loss()).isPositive();
            assertThat(engine.fallback())
                    .hasValueSatisfying(why -> assertThat(why).contains("`loss`", "DOUBLE", "derivative"));
        }
    }

    @Test
    void a_norm_per_head_with_a_scale_of_the_whole_width_is_compiled() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, 4, 8);
        SDVariable rms =
                x.mul(graph.math.rsqrt(graph.math.square(x).mean(true, 2).add(1e-5)));
        graph.reshape(rms, -1, 32).mul("y", graph.constant("w", Nd4j.rand(DataType.FLOAT, 32)));
        try (CompiledEngine engine = new CompiledEngine(graph, "", List.of(), EngineOptions.defaults());
                Engine reference = new ReferenceEngine(graph, "", List.of())) {
            Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.FLOAT, 5, 4, 8));
            INDArray actual = engine.outputs(inputs, List.of("y")).get("y");
            INDArray expected = reference.outputs(inputs, List.of("y")).get("y");
            assertThat(engine.fallback()).isEmpty();
            assertThat(actual.distance2(expected)).isLessThan(1e-5);
        }
    }

    /** An op with a mistake in it. */
    public static final class Broken extends DynamicCustomOp {
        Broken(SameDiff graph, SDVariable x) {
            super(null, graph, new SDVariable[] {x});
        }

        @Override
        public String opName() {
            return "cube";
        }

        @Override
        public List<LongShapeDescriptor> calculateOutputShape(org.nd4j.linalg.api.ops.OpContext context) {
            throw new NullPointerException("a mistake");
        }

        @Override
        public List<DataType> calculateOutputDataTypes(List<DataType> types) {
            return types;
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_mistake_in_the_code_is_not_the_users_fault(EveryEngine kind) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1);
        SDVariable y = new Broken(graph, x.mul(graph.var("w", Nd4j.ones(DataType.FLOAT, 1)))).outputVariable();
        y.mean("loss");
        Map<String, INDArray> inputs = Map.of("x", Nd4j.ones(DataType.FLOAT, 3));
        try (Engine engine = kind.open(graph, "loss", List.of("w"))) {
            assertThatThrownBy(() -> engine.outputs(inputs, List.of("loss")))
                    .isNotInstanceOf(InvalidInputException.class)
                    .hasStackTraceContaining("a mistake");
        }
    }
}
