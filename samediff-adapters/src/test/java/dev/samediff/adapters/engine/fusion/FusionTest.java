package dev.samediff.adapters.engine.fusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.lowering.Lowering;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.UnaryKind;
import dev.samediff.adapters.train.loss.Losses;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Every way in which exporters write a layer becomes one node. */
class FusionTest {
    private static final long D = 8;

    private static Program lower(SameDiff sd, String output, Map<String, INDArray> placeholders) {
        Lowering.Lowered lowered = Lowering.lower(sd, List.of(output), placeholders::get);
        return Fusion.layers(lowered.builder().build(lowered.outputs()), List.of());
    }

    private static Program program(BiFunction<SameDiff, SDVariable, SDVariable> layer) {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, D);
        layer.apply(sd, x).rename("y");
        return lower(sd, "y", Map.of("x", Nd4j.ones(DataType.FLOAT, 4, D)));
    }

    private static List<Op> computed(Program program) {
        return program.nodes().stream()
                .map(Node::op)
                .filter(op -> !(op instanceof Op.View))
                .toList();
    }

    static Stream<Arguments> activations() {
        double c = Math.sqrt(2 / Math.PI);
        Map<String, Function<SDVariable, SDVariable>> tanh = Map.of(
                "0.5 x (1 + tanh(c (x + 0.044715 x^3)))",
                x -> x.mul(0.5)
                        .mul(tanh(x.add(x.mul(x).mul(x).mul(0.044715)).mul(c)).add(1)),
                "x (0.5 + 0.5 tanh(c x (1 + 0.044715 x^2)))",
                x -> x.mul(tanh(x.mul(c).mul(square(x).mul(0.044715).add(1)))
                        .mul(0.5)
                        .add(0.5)),
                "0.5 (x + x tanh(c x + 0.044715 c x^3))",
                x -> x.add(x.mul(tanh(x.mul(c).add(x.mul(square(x)).mul(0.044715 * c)))))
                        .mul(0.5));
        Map<String, Function<SDVariable, SDVariable>> erf = Map.of(
                "x 0.5 (1 + erf(x / sqrt 2))",
                x -> x.mul(0.5).mul(erf(x.div(Math.sqrt(2))).add(1)),
                "(x (erf(x 0.7071) + 1)) / 2",
                x -> x.mul(erf(x.mul((float) Math.sqrt(0.5))).add(1)).div(2));
        Map<String, Function<SDVariable, SDVariable>> swish =
                Map.of("x sigmoid(x)", x -> x.mul(x.getSameDiff().nn.sigmoid(x)));
        return Stream.of(
                        Map.entry(UnaryKind.GELU_TANH, tanh),
                        Map.entry(UnaryKind.GELU_ERF, erf),
                        Map.entry(UnaryKind.SWISH, swish))
                .flatMap(kind -> kind.getValue().entrySet().stream()
                        .map(form -> Arguments.of(form.getKey(), form.getValue(), kind.getKey())));
    }

    private static SDVariable tanh(SDVariable x) {
        return x.getSameDiff().math.tanh(x);
    }

    private static SDVariable erf(SDVariable x) {
        return x.getSameDiff().math.erf(x);
    }

    private static SDVariable square(SDVariable x) {
        return x.getSameDiff().math.square(x);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("activations")
    void an_activation_is_recognised_by_its_values(
            String form, Function<SDVariable, SDVariable> activation, UnaryKind kind) {
        assertThat(computed(program((sd, x) -> activation.apply(x))))
                .singleElement()
                .isInstanceOfSatisfying(
                        Op.Unary.class, op -> assertThat(op.kind()).isEqualTo(kind));
    }

    @Test
    void a_function_that_is_nearly_a_gelu_is_left_alone() {
        Program program = program((sd, x) ->
                x.mul(0.5).mul(tanh(x.add(x.mul(x).mul(x).mul(0.0450)).mul(0.8)).add(1)));
        assertThat(computed(program)).hasSizeGreaterThan(3);
    }

    static Stream<Arguments> inverseRoots() {
        Map<String, BiFunction<SDVariable, SDVariable, SDVariable>> forms = Map.of(
                "x / sqrt(v + eps)", (x, v) -> x.div(sqrt(v.add(1e-5))),
                "x * (1 / sqrt(v + eps))", (x, v) -> x.mul(sqrt(v.add(1e-5)).rdiv(1)),
                "x * rsqrt(v + eps)", (x, v) -> x.mul(v.getSameDiff().math.rsqrt(v.add(1e-5))));
        return forms.entrySet().stream().map(form -> Arguments.of(form.getKey(), form.getValue()));
    }

    private static SDVariable sqrt(SDVariable x) {
        return x.getSameDiff().math.sqrt(x);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inverseRoots")
    void a_layer_norm_with_scale_and_shift_is_one_node(
            String form, BiFunction<SDVariable, SDVariable, SDVariable> divide) {
        Program program = program((sd, x) -> {
            SDVariable centred = x.sub(x.mean(true, 1));
            SDVariable variance = square(centred).mean(true, 1);
            SDVariable scale = sd.var("scale", Nd4j.ones(DataType.FLOAT, D));
            SDVariable shift = sd.var("shift", Nd4j.ones(DataType.FLOAT, D));
            return divide.apply(centred, variance).mul(scale).add(shift);
        });
        assertThat(computed(program)).singleElement().isInstanceOfSatisfying(Op.LayerNorm.class, op -> {
            assertThat(op.epsilon()).isCloseTo(1e-5, org.assertj.core.api.Assertions.within(1e-9));
            assertThat(op.scale() && op.shift()).isTrue();
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inverseRoots")
    void a_root_mean_square_norm_is_one_node(String form, BiFunction<SDVariable, SDVariable, SDVariable> divide) {
        Program program = program((sd, x) -> sd.var("scale", Nd4j.ones(DataType.FLOAT, D))
                .mul(divide.apply(x, square(x).mean(true, 1))));
        assertThat(computed(program)).singleElement().isInstanceOf(Op.RmsNorm.class);
    }

    @Test
    void base_branch_and_bias_of_an_adapted_layer_are_three_products() {
        Program program = program((sd, x) -> {
            SDVariable w = sd.var("w", Nd4j.ones(DataType.FLOAT, D, 6));
            SDVariable a = sd.var("a", Nd4j.ones(DataType.FLOAT, D, 2));
            SDVariable b = sd.var("b", Nd4j.ones(DataType.FLOAT, 2, 6));
            SDVariable bias = sd.var("bias", Nd4j.ones(DataType.FLOAT, 6));
            return x.mmul(w).add(x.mmul(a).mmul(b)).add(bias);
        });
        List<Op> ops = computed(program);
        assertThat(ops).hasSize(3).allMatch(Op.MatMul.class::isInstance);
        assertThat(ops.stream().map(Op.MatMul.class::cast).filter(op -> op.bias() && op.accumulate()))
                .hasSize(1);
    }

    @Test
    void the_cross_entropy_of_losses_is_one_node() {
        SameDiff sd = SameDiff.create();
        SDVariable x = sd.placeHolder("x", DataType.FLOAT, -1, D);
        x.mmul(sd.var("w", Nd4j.ones(DataType.FLOAT, D, 5))).rename("logits");
        String loss = Losses.classification(sd, "logits").loss();
        Program program = lower(
                sd,
                loss,
                Map.of(
                        "x", Nd4j.ones(DataType.FLOAT, 4, D),
                        "labels", Nd4j.zeros(DataType.INT32, 4),
                        "label_mask", Nd4j.ones(DataType.FLOAT, 4)));
        assertThat(computed(program))
                .filteredOn(Op.CrossEntropy.class::isInstance)
                .hasSize(1);
        assertThat(program.nodes()) // but the sum of the weights, which is float64
                .filteredOn(node -> node.op() instanceof Op.Nd4j)
                .allMatch(node -> node.input(0).name().equals("label_mask")
                        || node.output().length() == 1);
    }

    @Test
    void a_choice_between_scores_and_minus_infinity_becomes_a_mask_of_the_product() {
        SameDiff sd = SameDiff.create();
        SDVariable q = sd.placeHolder("q", DataType.FLOAT, 2, 3, 4, 8);
        SDVariable k = sd.placeHolder("k", DataType.FLOAT, 2, 3, 8, 4);
        SDVariable hidden =
                sd.constant("hidden", Nd4j.create(new float[][] {{0, 1, 1, 1}, {0, 0, 1, 1}, {0, 0, 0, 1}, {0, 0, 0, 0}
                }));
        SDVariable scores = sd.mmul(q, k).div(Math.sqrt(8));
        SDVariable chosen = hidden.rsub(1).mul(scores).add(hidden.mul(-3e38));
        sd.nn.softmax(chosen, 3).rename("y");
        Program program = lower(
                sd,
                "y",
                Map.of("q", Nd4j.ones(DataType.FLOAT, 2, 3, 4, 8), "k", Nd4j.ones(DataType.FLOAT, 2, 3, 8, 4)));
        assertThat(computed(program)).hasSize(2).first().isInstanceOf(Op.MaskedMatMul.class);
    }
}
