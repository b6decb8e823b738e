package dev.samediff.samples.bench.step;

import dev.samediff.samples.bench.FreshProcess;
import dev.samediff.samples.bench.step.StepJob.Configuration;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A library that can do a job in a process of its own.
 *
 * @param name its name in tables
 * @param command the program; the job is added as its last argument
 * @param settings environment variables of its linear algebra, besides the number of threads
 * @param precisions what it can multiply
 * @param dense whether it computes the SORSA authors' dense layer instead of the factored one, and nothing else
 */
public record Contender(
        String name, List<String> command, Map<String, String> settings, List<Precision> precisions, boolean dense) {
    private static final String SORSA = "sorsa";
    private static final String DENSE = "sorsa-dense";

    /** Returns this library. */
    static Contender self(EngineChoice engine, Map<String, String> settings) {
        return new Contender(
                "samediff-adapters, " + engine + " engine",
                FreshProcess.java(StepProbe.class, engine.name()),
                settings,
                List.of(Precision.values()).stream().filter(engine::runs).toList(),
                false);
    }

    boolean runs(Configuration measured) {
        return precisions.contains(measured.precision())
                && (!dense || measured.method().equals(SORSA));
    }

    /** Does a job in a fresh process. */
    StepRun run(StepJob job) throws IOException, InterruptedException {
        Map<String, String> environment = new TreeMap<>(settings);
        String threads = Integer.toString(job.threads());
        for (String library : List.of("OMP", "OPENBLAS", "MKL")) {
            environment.put(library + "_NUM_THREADS", threads);
        }
        environment.put("OMP_WAIT_POLICY", "passive"); // several pools of threads on few cores: none may spin
        List<String> whole = new ArrayList<>(command);
        whole.add(Json.line(dense ? job.withMethod(DENSE) : job));
        return Json.parse(FreshProcess.run(whole, environment).line().toString(), StepRun.class);
    }
}
