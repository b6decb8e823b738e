package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.ExecutionOrder;
import dev.samediff.adapters.graph.GradientGraph;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What makes a training step fast on a device and can be seen without one. */
class DeviceStepTest {
    /** What a training step executes where the compiled engine does not run. */
    private static final Pattern STEP = Pattern.compile(".*\\.(engine\\.(reference\\.(ReferenceEngine|PlannedRunner|"
            + "SessionRunner|Shortcuts|HalfProducts|Step|ArrayPool|Storage|HeldArray)|nd4j\\.(Placeholders|NativeOp))|"
            + "train\\.(AdapterTrainer|Binding|Feed|Updates|Evaluations|MetricPass|optimizer\\.(GradientSum|Optimizer|Flat|DeviceAdamW|Slope|PenaltyTerm|Parameters))|"
            + "method\\.(OrthonormalPenalty|GramErrors))(\\$.*)?");

    private static final Pattern READ = Pattern.compile(
            "get(Double|Float|Int|Long|Number)\\w*|to(Double|Float|Int|Long)(Vector|Matrix)|data|as[A-Z]\\w*|"
                    + "\\w+Number|pointer|addressPointer|isNaN|equals\\w*|toString\\w*|all|any|none");

    static List<String> methods() {
        return AdapterMethods.names();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void every_product_with_a_matrix_of_a_layer_is_one_of_matrices(String method) {
        TinyGpt gpt = new TinyGpt(16, 2, 2, 11, 0);
        AdaptedModel model = AdaptedModel.inject(gpt.graph, AdapterConfig.of(AdapterMethods.named(method, 3)));
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        GradientGraph gradient = GradientGraph.of(gpt.graph, loss.loss(), model.trainableNames());
        Set<String> wanted = new LinkedHashSet<>(gradient.gradients().values());
        wanted.add(loss.loss());
        Set<String> weights = new LinkedHashSet<>(gpt.weights);
        weights.addAll(model.trainableNames());
        Set<String> factors = new LinkedHashSet<>();
        int products = 0;
        for (ExecutionOrder.Node node : ExecutionOrder.of(gradient.graph(), wanted)) {
            if (node.function().opName().startsWith("matmul")
                    && node.inputs().stream().anyMatch(weights::contains)) {
                products++;
                factors.addAll(node.inputs());
            }
        }
        boolean factorsOnly = AdapterMethods.named(method, 3).scales().isPresent();
        assertThat(products).isGreaterThan((factorsOnly ? 1 : 3) * model.sites().size());
        try (Engine engine = new ReferenceEngine(gradient.graph(), loss.loss(), List.of())) {
            Map<String, INDArray> values = engine.outputs(gpt.batch(3, 6, 1), factors);
            values.forEach((name, value) -> assertThat(value.rank()).as(name).isEqualTo(2));
        }
    }

    /**
     * A new read of an array by the host belongs into this list and into docs/gpu.md, with a reason.
     *
     * <p>Per batch: the loss, the number of labelled tokens. Per step: the norm, the penalty. The rest are constants of
     * the graph that the host made (axes, exponents), or happen at the start or in an evaluation.
     */
    @Test
    void the_host_reads_scalars_only() {
        JavaClasses classes = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.samediff.adapters");
        Set<String> reads = new TreeSet<>();
        int seen = 0;
        for (JavaClass each : classes) {
            if (STEP.matcher(each.getName()).matches()) {
                seen++;
                for (JavaMethodCall call : each.getMethodCallsFromSelf()) {
                    if (isRead(call)) {
                        reads.add(each.getSimpleName() + "." + call.getOrigin().getName() + " "
                                + call.getTarget().getName());
                    }
                }
            }
        }
        assertThat(seen).isGreaterThanOrEqualTo(20);
        assertThat(reads)
                .containsExactlyInAnyOrder(
                        "ReferenceEngine.scalar getDouble",
                        "Feed.weight sumNumber",
                        "DeviceAdamW.norm norm2Number",
                        "OrthonormalPenalty.evaluate getDouble",
                        "OrthonormalPenalty.term getDouble",
                        "NativeOp.bindLegacy toIntVector",
                        "NativeOp.checkArguments toLongVector",
                        "Shortcuts.squareGradient getDouble",
                        "MetricPass.over getDouble");
    }

    private static boolean isRead(JavaMethodCall call) {
        JavaClass owner = call.getTargetOwner();
        return (owner.isAssignableTo(INDArray.class) || owner.isAssignableTo(DataBuffer.class))
                && READ.matcher(call.getTarget().getName()).matches();
    }
}
