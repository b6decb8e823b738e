package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Weighted merges against PEFT's numbers, and against the sum they stand for where PEFT's scaling is wrong. */
class AdapterMergeTest {
    private static AdapterState state(String name, INDArray a, INDArray b, double scaling) {
        int rank = (int) a.size(1);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("lora_A", a);
        tensors.put("lora_B", b);
        AdapterState.Site site = new AdapterState.Site(
                "layer",
                "layer.weight",
                (int) a.size(0),
                (int) b.size(1),
                rank,
                scaling * rank,
                scaling,
                tensors,
                tensors,
                true,
                AdapterState.UNKNOWN_HASH);
        AdapterConfig config =
                AdapterConfig.of(Lora.rank(rank)).withName(name).withTargets(TargetSelector.suffixes("layer"));
        return new AdapterState(config, List.of(site), BaseHash.of(Map.of("layer", AdapterState.UNKNOWN_HASH)));
    }

    private static INDArray tensor(AdapterState state, String name) {
        return Objects.requireNonNull(state.sites().get(0).tensors().get(name));
    }

    /** s A B in float64. */
    private static INDArray delta(AdapterState state) {
        return tensor(state, "lora_A")
                .castTo(DataType.DOUBLE)
                .mmul(tensor(state, "lora_B").castTo(DataType.DOUBLE))
                .mul(state.sites().get(0).scaling());
    }

    private static double error(INDArray actual, INDArray expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        INDArray wanted = expected.castTo(DataType.DOUBLE);
        return actual.castTo(DataType.DOUBLE).sub(wanted).norm2Number().doubleValue()
                / wanted.norm2Number().doubleValue();
    }

    private static INDArray turned(INDArray array) {
        return array.transpose().dup('c');
    }

    @TestFactory
    Stream<DynamicTest> merges_are_those_of_peft_with_the_right_scaling() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.get("method").asText().equals("merge"))
                .map(index -> DynamicTest.dynamicTest(index.get("id").asText(), () -> golden(root, index)));
    }

    private static void golden(Path root, JsonNode index) throws IOException {
        Map<String, INDArray> golden = Npz.read(root.resolve(index.get("id").asText() + ".npz"));
        List<AdapterSum.Weighted> summands = new ArrayList<>();
        boolean unscaled = true;
        for (int i = 0; i < index.get("adapters").size(); i++) {
            double scaling = index.get("adapters").get(i).get("scaling").asDouble();
            unscaled &= scaling == 1;
            AdapterState one = state("a" + i, turned(golden.get("A_" + i)), turned(golden.get("B_" + i)), scaling);
            summands.add(
                    new AdapterSum.Weighted(one, index.get("weights").get(i).asDouble()));
        }
        INDArray exact = turned(golden.get("delta_exact"));
        String combination = index.get("combination").asText();
        int rank = index.get("r_new").asInt();
        if (combination.equals("cat")) {
            assertThat(error(delta(AdapterSum.of("new", summands)), exact)).isLessThan(1e-6);
            return;
        }
        boolean changes = combination.endsWith("svd");
        MergeRule rule = rule(index, combination);
        if (!changes) {
            AdapterState merged = merged(golden, index, summands, rule);
            assertThat(error(tensor(merged, "lora_A"), turned(golden.get("A")))).isLessThan(1e-6);
            assertThat(error(tensor(merged, "lora_B"), turned(golden.get("B")))).isLessThan(1e-6);
            assertThat(error(delta(merged), turned(golden.get("delta")))).isLessThan(1e-6);
            return;
        }
        Approximation merged = AdapterMerge.ofChanges("new", summands, rule, rank);
        if (unscaled) { // else PEFT's scalings are wrong
            assertThat(error(delta(merged.state()), turned(golden.get("delta"))))
                    .isLessThan(1e-4);
        }
        if (rule.how() == MergeRule.How.LINEAR) {
            double actual = error(delta(merged.state()), exact);
            assertThat(merged.error()).isCloseTo(actual, within(1e-6));
            assertThat(merged.error())
                    .isLessThanOrEqualTo(index.get("relative_error_to_exact").asDouble() + 1e-6);
        }
    }

    private static MergeRule rule(JsonNode index, String combination) {
        if (combination.equals("svd") || combination.equals("linear")) {
            return MergeRule.linear();
        }
        MergeRule rule = MergeRule.of(
                MergeRule.How.valueOf(combination.replace("_svd", "").toUpperCase(Locale.ROOT)),
                index.get("options").get("density").asDouble());
        boolean frequency =
                index.get("options").path("majority_sign_method").asText().equals("frequency");
        return frequency ? rule.withMajorityOfSigns() : rule;
    }

    /** With PEFT's masks where there are any. */
    private static AdapterState merged(
            Map<String, INDArray> golden, JsonNode index, List<AdapterSum.Weighted> summands, MergeRule rule) {
        if (!golden.containsKey("mask_0")) {
            return AdapterMerge.ofFactors("new", summands, rule);
        }
        int n = summands.size();
        double[] both = summands.stream()
                .mapToDouble(each -> each.weight() * each.state().sites().get(0).scaling())
                .toArray();
        INDArray[] factors = new INDArray[2];
        for (int f = 0; f < 2; f++) {
            String name = f == 0 ? "lora_A" : "lora_B";
            boolean down = f == 0;
            List<double[]> tensors = new ArrayList<>();
            List<double[]> masks = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                tensors.add(numbers(tensor(summands.get(i).state(), name)));
                masks.add(numbers(turned(golden.get("mask_" + (f * n + i)))));
            }
            double[] weights = Arrays.stream(both)
                    .map(w -> down ? Math.copySign(Math.sqrt(Math.abs(w)), w) : Math.sqrt(Math.abs(w)))
                    .toArray();
            factors[f] = Nd4j.createFromArray(rule.apply(tensors, weights, masks))
                    .reshape('c', tensor(summands.get(0).state(), name).shape())
                    .castTo(DataType.FLOAT);
        }
        return state("new", factors[0], factors[1], index.get("scaling_new").asDouble());
    }

    private static double[] numbers(INDArray array) {
        return array.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    }

    @Test
    void ties_keeps_the_largest_entries_where_signs_agree() {
        MergeRule rule = MergeRule.of(MergeRule.How.TIES, 0.75);
        List<double[]> tensors = List.of(new double[] {4, -3, 2, 0.5}, new double[] {2, 5, -1, 0.1});
        // pruned: {4, -3, 2, 0}, {2, 5, -1, 0}; signs of the sums +, +, +, + (zero counts as positive)
        assertThat(rule.apply(tensors, new double[] {1, 0.5}, "t")).containsExactly((4 + 1) / 2.0, 2.5, 2, 0);
        assertThat(rule.withMajorityOfSigns().apply(tensors, new double[] {1, 0.5}, "t"))
                .containsExactly((4 + 1) / 2.0, 2.5, 2, 0);
        List<double[]> three = List.of(new double[] {-1}, new double[] {-1}, new double[] {5});
        double[] ones = {1, 1, 1};
        MergeRule all = MergeRule.of(MergeRule.How.TIES, 1);
        assertThat(all.apply(three, ones, "t")).containsExactly(5);
        assertThat(all.withMajorityOfSigns().apply(three, ones, "t")).containsExactly(-1);
    }

    @Test
    void masks_depend_on_the_seed_and_keep_the_mean() {
        MergeRule rule = MergeRule.of(MergeRule.How.DARE_LINEAR, 0.3);
        double[] ones = new double[20_000];
        Arrays.fill(ones, 1);
        double[] merged = rule.apply(List.of(ones), new double[] {2}, "t");
        assertThat(merged).isEqualTo(rule.apply(List.of(ones), new double[] {2}, "t"));
        assertThat(merged).isNotEqualTo(rule.withSeed(1).apply(List.of(ones), new double[] {2}, "t"));
        assertThat(merged).isNotEqualTo(rule.apply(List.of(ones), new double[] {2}, "u"));
        assertThat(Arrays.stream(merged).average().orElseThrow()).isCloseTo(2, within(0.08));
        assertThat(Arrays.stream(merged).filter(number -> number != 0).distinct())
                .containsExactly(1 * 2 / 0.3);
    }

    @Test
    void what_does_not_fit_is_refused_by_name() {
        Nd4j.getRandom().setSeed(1);
        AdapterState two = state("two", Nd4j.randn(DataType.FLOAT, 5, 2), Nd4j.randn(DataType.FLOAT, 2, 4), 1);
        AdapterState three = state("three", Nd4j.randn(DataType.FLOAT, 5, 3), Nd4j.randn(DataType.FLOAT, 3, 4), 1);
        List<AdapterSum.Weighted> both = List.of(new AdapterSum.Weighted(two, 1), new AdapterSum.Weighted(three, 1));
        assertThatThrownBy(() -> AdapterMerge.ofFactors("new", both, MergeRule.linear()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("rank 2 in the adapter `two` and 3 in `three`");
        assertThat(AdapterMerge.ofChanges("new", both, MergeRule.of(MergeRule.How.TIES, 0.5), 9)
                        .state()
                        .sites()
                        .get(0)
                        .rank())
                .isEqualTo(4);
        assertThatThrownBy(() -> AdapterMerge.ofChanges("new", both, MergeRule.linear(), 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("rank 0");
        assertThatThrownBy(() -> MergeRule.of(MergeRule.How.TIES, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("density 0.0");
    }

    @Test
    void an_approximation_says_its_error_and_is_exact_where_the_rank_is_enough() {
        Random random = new Random(2);
        Nd4j.getRandom().setSeed(random.nextLong());
        AdapterState state = state("a", Nd4j.randn(DataType.FLOAT, 12, 5), Nd4j.randn(DataType.FLOAT, 5, 9), 0.7);
        double before = 1;
        for (int rank = 1; rank <= 4; rank++) {
            Approximation less = ToLora.ofRank(state, rank);
            double actual = error(delta(less.state()), delta(state));
            assertThat(less.error()).isCloseTo(actual, within(1e-6)).isLessThan(before);
            assertThat(less.errors()).containsOnlyKeys("layer");
            assertThat(less.state().sites().get(0).rank()).isEqualTo(rank);
            before = actual;
        }
        for (int rank : List.of(5, 20)) {
            Approximation all = ToLora.ofRank(state, rank);
            assertThat(all.error()).isZero();
            assertThatBits(tensor(all.state(), "lora_A")).isEqualTo(tensor(state, "lora_A"));
        }
    }
}
