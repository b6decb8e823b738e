package dev.samediff.samples.bench.scale;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.samples.bench.FreshProcess;
import dev.samediff.samples.output.Json;
import dev.samediff.samples.plan.Planner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Trains large models in fresh processes, one after the other. */
public final class ScaleBench {
    private ScaleBench() {}

    /**
     * What is measured.
     *
     * @param models names or sizes, as {@link LlamaShape#parse} reads them
     * @param methods the adapters
     * @param ranks their ranks
     * @param lengths tokens of the text
     * @param bfloat16 whether products with frozen weights are computed in bfloat16
     * @param recompute whether blocks are computed once more in the backward pass
     * @param steps measured steps
     * @param folder where models are written and found again
     * @param weights folder of the files that frozen weights lie in
     */
    public record Plan(
            List<String> models,
            List<String> methods,
            List<Integer> ranks,
            List<Integer> lengths,
            boolean bfloat16,
            boolean recompute,
            int steps,
            Path folder,
            Path weights) {}

    /**
     * One configuration.
     *
     * @param model its name
     * @param method the adapters
     * @param rank their rank
     * @param length tokens of the text
     * @param precision of products with frozen weights
     * @param recomputed whether blocks were computed once more
     * @param run what the process found
     * @param gigaflops floating-point operations of a step by its time, in 10^9 per second
     * @param plannedBytes the memory that {@code plan} says, which reads no weight
     */
    public record Row(
            String model,
            String method,
            int rank,
            int length,
            String precision,
            boolean recomputed,
            ScaleRun run,
            double gigaflops,
            long plannedBytes) {}

    /**
     * Measures.
     *
     * @param say is told how it goes
     * @throws FreshProcess.Failed if a process ends with an error, such as a lack of memory
     */
    public static List<Row> measure(Plan plan, Consumer<String> say) throws IOException, InterruptedException {
        List<Row> rows = new ArrayList<>();
        for (String model : plan.models()) {
            LlamaShape shape = LlamaShape.parse(model);
            say.accept("writing " + model + ", " + shape.parameters() / 1_000_000
                    + " million parameters, unless it is there ...");
            Path folder = LlamaFolder.write(shape, plan.folder().resolve(shape.fileName()));
            for (int length : plan.lengths()) {
                for (int rank : plan.ranks()) {
                    for (String method : plan.methods()) {
                        ScaleJob job = new ScaleJob(
                                folder.toAbsolutePath().toString(),
                                method,
                                rank,
                                length,
                                plan.bfloat16(),
                                plan.recompute(),
                                plan.steps(),
                                plan.weights().toAbsolutePath().toString());
                        rows.add(measure(model, shape, job, say));
                    }
                }
            }
        }
        return rows;
    }

    private static Row measure(String model, LlamaShape shape, ScaleJob job, Consumer<String> say)
            throws IOException, InterruptedException {
        say.accept(model + ", " + job.method() + " of rank " + job.rank() + ", T=" + job.length() + " ...");
        ScaleRun run = Json.parse(
                FreshProcess.run(FreshProcess.java(ScaleProbe.class, Json.line(job)), Map.of())
                        .line()
                        .toString(),
                ScaleRun.class);
        say.accept(String.format(
                Locale.ROOT,
                "  import %.1f s, start %.1f s, first step %.1f s, a step %.2f s; at most %.2f GB, until the import %.2f, until the"
                        + " start %.2f",
                run.importSeconds(),
                run.startSeconds(),
                run.firstStepSeconds(),
                run.stepSeconds(),
                run.peakBytes() / 1e9,
                run.importPeakBytes() / 1e9,
                run.startPeakBytes() / 1e9));
        double operations = shape.stepOperations(job.length(), job.rank(), job.recompute());
        return new Row(
                model,
                job.method(),
                job.rank(),
                job.length(),
                job.bfloat16() ? "bf16" : "f32",
                job.recompute(),
                run,
                operations / run.stepSeconds() / 1e9,
                Planner.plan(planned(job)).bytes());
    }

    private static Planner.Request planned(ScaleJob job) {
        return new Planner.Request(
                Path.of(job.folder()),
                AdapterConfig.of(AdapterMethods.named(job.method(), job.rank())),
                Optional.empty(),
                1,
                job.length(),
                job.engine());
    }
}
