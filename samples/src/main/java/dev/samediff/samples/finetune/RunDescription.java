package dev.samediff.samples.finetune;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.samples.machine.Processor;
import dev.samediff.samples.output.Numbers;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a reader needs to judge and repeat a run.
 *
 * @param model the model file, or what stands for it
 * @param task the task in a line
 * @param commandLine what to type to do it again
 */
public record RunDescription(String model, String task, String commandLine) {
    /** Returns how it was trained. */
    public static Map<String, String> training(FineTuneSettings settings) {
        TrainingPlan plan = settings.plan();
        Map<String, String> pairs = new LinkedHashMap<>();
        pairs.put("steps", Numbers.count(plan.steps()));
        pairs.put("batch", Integer.toString(settings.batch()));
        if (plan.accumulation() > 1) {
            pairs.put("accumulation", Integer.toString(plan.accumulation()));
        }
        pairs.put("peak learning rate", Numbers.setting(plan.learningRate()));
        pairs.put("schedule", plan.schedule().name().toLowerCase(Locale.ROOT));
        pairs.put("warm-up steps", Integer.toString(plan.warmupSteps()));
        pairs.put("weight decay", Numbers.setting(plan.weightDecay()));
        pairs.put("clipping norm", Numbers.setting(plan.clipNorm()));
        settings.metric().ifPresent(metric -> pairs.put("best by", metric));
        pairs.put("seed", Long.toString(settings.seed()));
        return pairs;
    }

    /** Returns what was adapted and how, and what could not be although the targets mean it. */
    public static Map<String, String> adapter(AdaptedModel model) {
        Map<String, String> pairs = adapter(model.config());
        model.leftOut()
                .values()
                .forEach(
                        all -> all.forEach(rejected -> pairs.put("left out: " + rejected.module(), rejected.reason())));
        return pairs;
    }

    /** Returns what was adapted, and how. */
    public static Map<String, String> adapter(AdapterConfig config) {
        Map<String, String> pairs = new LinkedHashMap<>();
        pairs.put("method", config.method().name());
        pairs.put("rank", Integer.toString(config.method().rank()));
        config.method().settings().forEach((name, value) -> pairs.put(name, plain(value)));
        pairs.put("targets", config.targets().describe());
        return pairs;
    }

    private static String plain(String value) {
        return value.matches("[\\d.]+E-?\\d+") ? Numbers.setting(Double.parseDouble(value)) : value;
    }

    /** Returns on what it ran. */
    public static Map<String, String> environment() {
        Processor processor = Processor.detect();
        Map<String, String> pairs = new LinkedHashMap<>();
        pairs.put("processor", processor.model());
        pairs.put("cores", Integer.toString(processor.cores()));
        pairs.put("Java", System.getProperty("java.version"));
        pairs.put("system", System.getProperty("os.name") + ", " + System.getProperty("os.arch"));
        return pairs;
    }
}
