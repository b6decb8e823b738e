package dev.samediff.adapters.engine.reference;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.graph.GradientGraph;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Time and memory of one forward and backward pass of a GPT with LoRA of rank 16: {@code StepBench
 * [compiled|planned|session|samediff] width layers heads batch length vocabulary}. Not part of the build.
 */
final class StepBench {
    private static final int WARM_UP = 3;
    private static final int STEPS = 12;

    private StepBench() {}

    public static void main(String[] arguments) throws IOException {
        String how = arguments.length > 0 ? arguments[0] : "planned";
        int[] sizes = arguments.length > 1
                ? Arrays.stream(arguments).skip(1).mapToInt(Integer::parseInt).toArray()
                : new int[] {256, 4, 4, 8, 128, 512};
        TinyGpt gpt = new TinyGpt(sizes[0], sizes[1], sizes[2], sizes[5], 16);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(sizes[3], sizes[4], 1);
        if (how.equals("samediff")) {
            gpt.graph.setLossVariables(loss.loss());
            measure(how, () -> gpt.graph.calculateGradients(batch, gpt.trainables));
            return;
        }
        if (how.startsWith("compiled")) {
            EngineOptions options = EngineOptions.defaults()
                    .withPrecision(how.contains("bf16") ? Precision.BFLOAT16 : Precision.FLOAT32)
                    .withRecomputation(how.contains("recompute"));
            try (CompiledEngine engine = new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, options)) {
                measure(how, () -> engine.gradients(batch).byName().values().forEach(INDArray::close));
                System.out.println(engine.fallback().orElse("compiled"));
                System.out.println(engine.arenaBytes() / (1 << 20) + " MB arena");
                var profile = engine.profile();
                for (int i = 0; i < 5; i++) {
                    engine.gradients(batch);
                }
                profile.entries()
                        .forEach(entry -> System.out.printf(
                                "%-24s %8.2f ms %6d calls%n",
                                entry.title(), entry.milliseconds() / 5, entry.calls() / 5));
            }
            return;
        }
        GradientGraph gradient = GradientGraph.of(gpt.graph, loss.loss(), gpt.trainables);
        List<String> outputs = new ArrayList<>(gradient.gradients().values());
        outputs.add(loss.loss());
        System.out.println(gradient.graph().getOps().size() + " ops");
        try (Runner runner = how.equals("session")
                ? new SessionRunner(gradient.graph(), gpt.graph, outputs, List.of())
                : new PlannedRunner(gradient.graph(), gpt.graph, outputs, List.of(), false, false)) {
            measure(how, () -> runner.run(batch).values().forEach(INDArray::close));
        }
    }

    private static void measure(String name, Runnable step) throws IOException {
        double[] times = new double[STEPS];
        var process = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = 0;
        for (int i = -WARM_UP; i < STEPS; i++) {
            if (i == 0) {
                cpu = process.getProcessCpuTime();
            }
            long start = System.nanoTime();
            step.run();
            if (i >= 0) {
                times[i] = (System.nanoTime() - start) / 1e6;
            }
        }
        double total = (process.getProcessCpuTime() - cpu) / 1e6 / STEPS;
        Arrays.sort(times);
        System.out.printf(
                "%s: median %.0f ms, best %.0f ms, processor time %.0f ms per step, peak %s, %d threads%n",
                name,
                times[STEPS / 2],
                times[0],
                total,
                peakMemory(),
                Nd4j.getEnvironment().maxThreads());
    }

    private static String peakMemory() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                ? Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("VmHWM"))
                        .map(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024 + " MB")
                        .findFirst()
                        .orElse("unknown")
                : "unknown";
    }
}
