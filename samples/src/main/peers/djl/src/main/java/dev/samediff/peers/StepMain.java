package dev.samediff.peers;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Measures training steps in libtorch: reads a job (StepJob.java) as JSON from the command line, prints JSON. */
public final class StepMain {
    private static final int LOSSES = 10;

    private final JsonObject job;
    private final Gpt model;
    private final Map<String, NDArray> batch;
    private final Map<String, NDArray> parameters = new LinkedHashMap<>();
    private final Optimizer optimizer;

    private StepMain(NDManager manager, JsonObject job) throws IOException {
        this.job = job;
        this.model = new Gpt(manager, job);
        this.batch = Tensors.read(manager, Path.of(job.get("folder").getAsString(), "batch.safetensors"), "");
        for (AdaptedLinear linear : model.linears()) {
            linear.factors().forEach(factor -> parameters.put("p" + parameters.size(), factor));
        }
        this.optimizer = Optimizer.adamW()
                .optLearningRateTracker(Tracker.fixed(job.get("learning_rate").getAsFloat()))
                .optWeightDecays(0)
                .build();
    }

    /** Measures. */
    public static void main(String[] arguments) throws IOException {
        JsonObject job = JsonParser.parseString(arguments[0]).getAsJsonObject();
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            JniUtils.setNumThreads(job.get("threads").getAsInt());
            StepMain training = new StepMain(manager, job);
            List<Double> times = new ArrayList<>();
            List<Float> losses = new ArrayList<>();
            int warmUp = job.get("warm_up").getAsInt();
            for (int i = 0; i < warmUp + job.get("steps").getAsInt(); i++) {
                long start = System.nanoTime();
                losses.add(training.step());
                if (i >= warmUp) {
                    times.add((System.nanoTime() - start) / 1e6);
                }
            }
            Collections.sort(times);
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("ms", times.get(times.size() / 2));
            result.put("peak_bytes", peakMemory());
            result.put("losses", losses.subList(0, Math.min(LOSSES, losses.size())));
            result.put("version", Engine.getEngine("PyTorch").getVersion());
            System.out.println(new Gson().toJson(result));
        }
    }

    /** Forward, backward, clipping at norm 1, SORSA's regulariser, AdamW. */
    private float step() {
        float loss = differentiate();
        parameters.forEach((name, parameter) -> { // outside of the scope, which would close the optimizer's moments
            try (NDArray gradient = parameter.getGradient()) {
                optimizer.update(name, parameter, gradient);
            }
        });
        return loss;
    }

    private float differentiate() {
        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            float value;
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray loss = model.loss(batch.get("input_ids"), batch.get("labels"));
                collector.backward(loss);
                value = loss.getFloat();
            }
            clip();
            if (job.get("method").getAsString().equals("sorsa")) {
                double coefficient =
                        job.get("gamma").getAsDouble() / job.get("learning_rate").getAsDouble();
                model.linears().forEach(linear -> linear.addPenaltyGradient(coefficient));
            }
            return value;
        }
    }

    private void clip() {
        double squares = 0;
        for (NDArray parameter : parameters.values()) {
            double norm = parameter.getGradient().norm().getFloat();
            squares += norm * norm;
        }
        double factor = 1 / (Math.sqrt(squares) + 1e-6);
        if (factor < 1) {
            parameters.values().forEach(parameter -> parameter.getGradient().muli(factor));
        }
    }

    private static long peakMemory() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(-1);
    }
}
